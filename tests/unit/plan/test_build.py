"""Options to plan: what the rights decide, and that every mistake is told at once."""

import subprocess
import sys

import pytest

from leadline.errors import PrivilegeError, UsageError
from leadline.model.plan import PingKind, Proxy, ServicePlan, Technique
from leadline.model.port import Protocol
from leadline.plan.build import build_plan, find_mistakes
from leadline.plan.options import Options, PingRequest

ONE = ("10.0.0.1",)


def test_defaults_follow_the_rights() -> None:
    plan = build_plan(Options(targets=ONE), privileged=True)
    assert plan.ports.techniques == (Technique.SYN,)
    assert plan.discovery.probes_v4[0].kind is PingKind.ICMP_ECHO
    assert plan.privileged is None
    plan = build_plan(Options(targets=ONE), privileged=False)
    assert plan.ports.techniques == (Technique.CONNECT,)
    assert plan.discovery.probes_v4[0].kind is PingKind.TCP_CONNECT
    assert plan.notices == ()


def test_syn_without_rights_becomes_connect_and_says_so() -> None:
    plan = build_plan(Options(targets=ONE, techniques=("syn",)), privileged=False)
    assert plan.ports.techniques == (Technique.CONNECT,)
    assert len(plan.notices) == 1
    assert "-sS" in plan.notices[0]


def test_techniques_without_a_substitute_need_the_rights() -> None:
    options = Options(targets=ONE, techniques=("xmas",), scan_flags="URGPSHSYN", pings=(PingRequest("udp"),))
    plan = build_plan(options, privileged=True)
    assert (plan.ports.techniques, plan.ports.scan_flags, plan.notices) == ((Technique.XMAS,), 0x2A, ())
    with pytest.raises(PrivilegeError) as caught:
        build_plan(options, privileged=False)
    # All that is missing, at once.
    assert [word in str(caught.value) for word in ("-sX", "--scanflags", "-PU")] == [True] * 3
    with pytest.raises(UsageError, match="--scanflags needs TCP flags"):
        build_plan(Options(targets=ONE, scan_flags="SYNFUN"), privileged=True)


def test_connect_with_rights() -> None:
    plan = build_plan(Options(targets=ONE, techniques=("connect",)), privileged=True)
    assert plan.ports.techniques == (Technique.CONNECT,)
    assert plan.notices == ()


@pytest.mark.parametrize("privileged", [True, False])
def test_scans_without_ports(privileged: bool) -> None:
    for options in (Options(targets=ONE, ping_scan=True), Options(targets=ONE, list_scan=True)):
        plan = build_plan(options, privileged)
        assert plan.ports.techniques == ()
        assert not plan.ports.ports


PROXIES = ("socks5://me:secret@127.0.0.1:9050", "http://relay.example:3128")


def test_services() -> None:
    assert not build_plan(Options(targets=ONE), True).services.enabled
    plan = build_plan(Options(targets=ONE, versions=True, version_intensity=0, datadir="/nmap"), True)
    assert plan.services == ServicePlan(enabled=True, intensity=0, rules="/nmap/nmap-service-probes")
    assert plan.output.versions
    assert plan.proxies == ()


@pytest.mark.parametrize("privileged", [None, True])
def test_with_proxies_nothing_but_connections_is_made(privileged: bool | None) -> None:
    options = Options(
        targets=ONE, proxies=PROXIES, privileged=privileged, arguments=("leadline", "--proxies=" + ",".join(PROXIES))
    )
    plan = build_plan(options, True)
    assert plan.proxies == (
        Proxy("socks5", "127.0.0.1", 9050, "me", "secret"), Proxy("http", "relay.example", 3128),
    )  # fmt: skip
    assert plan.ports.techniques == (Technique.CONNECT,)
    assert (plan.discovery.mode, plan.discovery.probes_v4, plan.discovery.link_probes) == ("none", (), False)
    assert plan.privileged is False
    assert "secret" not in "".join(plan.arguments)
    assert len(plan.notices) == 2
    quiet = build_plan(Options(targets=ONE, proxies=PROXIES, skip_discovery=True, reverse="never"), True)
    assert quiet.notices == ()


def test_what_has_no_substitute_needs_rights() -> None:
    with pytest.raises(PrivilegeError, match="-PU"):
        build_plan(Options(targets=ONE, pings=(PingRequest("udp"),)), privileged=False)


def test_every_part_of_the_plan() -> None:
    plan = build_plan(
        Options(
            targets=ONE,
            input_files=("list",),
            exclude=("10.0.0.9",),
            exclude_files=("not",),
            randomize_hosts=True,
            resolve_all=True,
            unique=True,
            family=6,
            seed=7,
            reverse="all",
            dns_servers=("192.0.2.1",),
            ports="80",
            exclude_ports="81",
            sequential=True,
            open_only=True,
            timing=4,
            privileged=True,
            arguments=("leadline", "x"),
            notices=("remark",),
        ),
        privileged=True,
    )
    targets = plan.targets
    assert (targets.expressions, targets.input_files, targets.random) == (ONE, ("list",), None)
    assert (targets.exclude, targets.exclude_files) == (("10.0.0.9",), ("not",))
    assert targets.randomize
    assert targets.resolve_all
    assert targets.unique
    assert targets.prefer_v6
    assert targets.families == frozenset({6})
    assert targets.seed == 7
    assert (plan.resolve.reverse, plan.resolve.servers, plan.resolve.system) == ("all", ("192.0.2.1",), False)
    assert plan.ports.ports.ports == {Protocol.TCP: (80,)}
    assert plan.ports.excluded.of(Protocol.TCP) == (81,)
    assert plan.ports.sequential
    assert plan.ports.open_only
    assert plan.output.open_only
    assert plan.timing.template == 4
    assert plan.privileged is True
    assert plan.arguments == ("leadline", "x")
    assert plan.notices == ("remark",)


def test_families() -> None:
    assert build_plan(Options(targets=ONE), True).targets.families == frozenset({4, 6})
    plan = build_plan(Options(targets=ONE, family=4), True)
    assert plan.targets.families == frozenset({4})
    assert not plan.targets.prefer_v6


@pytest.mark.parametrize(
    ("options", "reason", "stdout_text"),
    [
        (Options(targets=ONE), False, True),
        (Options(targets=ONE, verbosity=1), False, True),
        (Options(targets=ONE, verbosity=2), True, True),
        (Options(targets=ONE, debugging=1), True, True),
        (Options(targets=ONE, reason=True), True, True),
        (Options(targets=ONE, quiet=True), False, False),
        (Options(targets=ONE, xml="-"), False, False),
        (Options(targets=ONE, xml="file"), False, True),
        (Options(targets=ONE, normal="-"), False, False),
    ],
)
def test_output(options: Options, reason: bool, stdout_text: bool) -> None:
    output = build_plan(options, True).output
    assert output.reason is reason
    assert output.stdout_text is stdout_text


def test_interactive_unless_told_otherwise() -> None:
    assert build_plan(Options(targets=ONE), True).output.interactive
    assert not build_plan(Options(targets=ONE, noninteractive=True), True).output.interactive


def test_all_mistakes_at_once() -> None:
    options = Options(ports="1-2-3", exclude_ports="x:", pings=(PingRequest("tcp-syn", "99999"),), timing=8)
    with pytest.raises(UsageError) as caught:
        build_plan(options, True)
    text = "\n".join(caught.value.messages)
    for words in ("No targets", "-T needs", "-p: ", "--exclude-ports: ", "-PS: "):
        assert words in text
    assert list(caught.value.messages) == find_mistakes(options)


def test_unknown_words_of_the_api_do_not_break_the_search() -> None:
    options = Options(targets=ONE, techniques=("wave",), pings=(PingRequest("smoke"),), ports="99999")
    assert len(find_mistakes(options)) == 3
    with pytest.raises(UsageError):
        build_plan(options, True)


def test_exclusion_that_leaves_no_probe_without_rights() -> None:
    options = Options(targets=ONE, exclude_ports="80,443")
    assert build_plan(options, True).discovery.probes_v4
    with pytest.raises(UsageError, match="-Pn"):
        build_plan(options, False)


def test_plans_are_made_without_numpy() -> None:
    code = (
        "import sys\n"
        "from leadline.plan.build import build_plan\n"
        "from leadline.plan.options import Options\n"
        "build_plan(Options(targets=('10.0.0.1',), ports='22,http*'), True)\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
