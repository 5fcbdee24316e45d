"""From ``argv`` to the exit status, with a pipeline that only tells what it was given."""

import io
import os
import signal
import subprocess
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import leadline
from leadline.cli import main, terminal
from leadline.engine.control import Control
from leadline.errors import LinkError
from leadline.model.event import Event, Notice, ScanEnded, ScanStarted
from leadline.model.plan import Plan, Technique
from leadline.report.sink import Sink

# Modules that cost more than all the rest of the start.
HEAVY = ("numpy", "rich", "pyroute2", "dns", "lxml", "msgspec", "asyncio")


class Pipeline(types.ModuleType):
    """In place of ``leadline.pipeline``: notes what it was given."""

    def __init__(self) -> None:
        super().__init__("leadline.pipeline")
        self.plans: list[Plan] = []
        self.error: Exception | None = None
        self.kill = 0

    def run(self, plan: Plan, network: object, resolver: object, control: object) -> Iterator[Event]:
        self.plans.append(plan)
        yield ScanStarted(1e9, "0.1.0", plan.arguments)
        yield Notice(0.5, "warning", "carefully")
        if self.kill:
            os.kill(os.getpid(), self.kill)
            yield ScanEnded(1.0, 1e9, "interrupted", "interrupted")
            return
        if self.error is not None:
            yield ScanEnded(1.0, 1e9, "error", str(self.error))
            raise self.error
        yield ScanEnded(1.0, 1e9 + 1, "success")


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    made = Pipeline()
    monkeypatch.setitem(sys.modules, "leadline.pipeline", made)
    monkeypatch.delenv("NMAP_PRIVILEGED", raising=False)
    monkeypatch.delenv("NMAP_UNPRIVILEGED", raising=False)
    return made


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.entry(["-V"]) == 0
    assert capsys.readouterr().out == f"Leadline {leadline.__version__}\n"


def test_help_even_with_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.entry(["--nope", "-h"]) == 0
    assert "Usage: leadline" in capsys.readouterr().out


def test_without_arguments(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["leadline"])
    assert main.entry() == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Usage: ")


def test_every_mistake_and_nothing_else(capsys: pytest.CaptureFixture[str], pipeline: Pipeline, tmp_path: Path) -> None:
    out = tmp_path / "out.xml"
    arguments = ["-O", "-p", "99999", "-iL", "/no/such", "--speed", "2", "-F", "10.0.0.300", "-oX", str(out)]
    assert main.entry(arguments) == 2
    captured = capsys.readouterr()
    for words in ("-O", "99999", "/no/such", "--speed", "-F", "10.0.0.300"):
        assert words in captured.err
    assert captured.out == ""
    assert not out.exists()
    assert pipeline.plans == []


def test_mistakes_are_shown_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    main.entry(["--max-rate", "\x1b[2J", "x"])
    assert "\x1b" not in capsys.readouterr().err


def test_demo_scans_the_demonstration(capsys: pytest.CaptureFixture[str], pipeline: Pipeline) -> None:
    assert main.entry(["demo", "-F"]) == 0
    (plan,) = pipeline.plans
    assert plan.targets.expressions == ("10.20.0.0/22",)
    assert plan.targets.seed == 1
    assert plan.ports.techniques == (Technique.SYN,)
    assert plan.arguments == ("leadline demo", "-F")
    captured = capsys.readouterr()
    assert "Starting Leadline" in captured.out
    assert "carefully" in captured.err


def test_demo_has_no_proxies(capsys: pytest.CaptureFixture[str], pipeline: Pipeline) -> None:
    assert main.entry(["demo", "--proxies", "socks4://127.0.0.1:9050"]) == 2
    assert "a simulated network has none" in capsys.readouterr().err


def test_demo_takes_options(pipeline: Pipeline) -> None:
    assert main.entry(["demo", "--unprivileged", "-sS", "10.20.1.10", "--seed", "5", "--speed", "1000"]) == 0
    (plan,) = pipeline.plans
    assert plan.ports.techniques == (Technique.CONNECT,)
    assert plan.targets.expressions == ("10.20.1.10",)
    assert plan.targets.seed == 5
    assert any("-sS" in notice for notice in plan.notices)


def test_demo_refuses_a_senseless_speed(capsys: pytest.CaptureFixture[str], pipeline: Pipeline) -> None:
    assert main.entry(["demo", "--speed", "0"]) == 2
    assert "--speed" in capsys.readouterr().err
    assert pipeline.plans == []


def test_outputs_and_capture_file(pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, capture = tmp_path / "scan", tmp_path / "packets.pcapng"
    assert main.entry(["demo", "-oA", str(base), "--record", str(capture), "-v0"]) == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "packets.pcapng", "scan.gnmap", "scan.nmap", "scan.xml"
    ]  # fmt: skip
    assert (tmp_path / "scan.xml").read_text().rstrip().endswith("</nmaprun>")
    assert capture.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert capsys.readouterr().out == ""


def test_outputs_that_cannot_be_opened(pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "none" / "x")
    assert main.entry(["demo", "-oN", missing]) == 2
    assert main.entry(["demo", "--record", missing]) == 2
    assert capsys.readouterr().err.count(f"there is no directory '{tmp_path / 'none'}'") == 2
    assert pipeline.plans == []


def test_failed_scan(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.error = LinkError("the interface is gone")
    assert main.entry(["demo"]) == 1
    assert "the interface is gone" in capsys.readouterr().err


def test_interrupted_scan(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.kill = signal.SIGTERM
    report = tmp_path / "x.xml"
    assert main.entry(["demo", "-oX", str(report)]) == 143
    assert report.read_text().rstrip().endswith("</nmaprun>")


def test_rights_that_are_missing(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.entry(["demo", "--unprivileged", "-PU"]) == 1
    assert "CAP_NET_RAW" in capsys.readouterr().err
    assert pipeline.plans == []


@pytest.mark.parametrize("arguments", [["-sF"], ["-sA", "--scanflags", "FIN"], ["--scanflags", "0"]])
def test_techniques_that_need_rights(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main.entry(["demo", "--unprivileged", *arguments]) == 1
    assert "needs the right to send raw packets" in capsys.readouterr().err
    assert pipeline.plans == []
    assert main.entry(["demo", *arguments]) == 0
    assert pipeline.plans[0].ports.techniques[0] in (Technique.FIN, Technique.ACK, Technique.SYN)


def test_real_network(pipeline: Pipeline) -> None:
    assert main.entry(["-sL", "-n", "127.0.0.1"]) == 0
    assert pipeline.plans[0].arguments == ("leadline", "-sL", "-n", "127.0.0.1")


def test_a_host_named_demo(pipeline: Pipeline) -> None:
    assert main.entry(["--", "demo"]) == 0
    assert pipeline.plans[0].targets.expressions == ("demo",)


def test_interfaces(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.entry(["--iflist"]) == 0
    assert "127.0.0.1/8" in capsys.readouterr().out
    assert main.entry(["--iflist", "--nope"]) == 2


def test_interrupted_before_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_main", interrupted)
    assert main.entry(["x"]) == 130


def test_a_fault_of_ours_outside_the_scan(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(arguments: list[str]) -> int:
        raise ZeroDivisionError("\x1boops")

    monkeypatch.setattr(main, "_main", broken)
    assert main.entry(["x"]) == 1
    assert capsys.readouterr().err.startswith("leadline: internal error: ZeroDivisionError: \\x1boops (")
    assert main.entry(["-d", "x"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_keys_are_not_taken_from_a_list_on_standard_input(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    class Terminal(terminal.Terminal):
        def __init__(self, control: Control, sinks: Sequence[Sink], interactive: bool, term: str, keys: bool) -> None:
            asked.append(keys)
            super().__init__(control, sinks, False, term)

    monkeypatch.setattr(terminal, "Terminal", Terminal)
    assert main.entry(["demo", "-iL", "-"]) == 0
    assert main.entry(["demo"]) == 0
    assert asked == [False, True]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "leadline", *arguments], capture_output=True, text=True, check=False)


def test_as_a_module() -> None:
    assert run("-V").stdout == f"Leadline {leadline.__version__}\n"
    assert run("-O").returncode == 2


def test_the_end_of_the_process_is_the_end_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends: list[int] = []
    monkeypatch.setattr(sys, "argv", ["leadline", "--badopt"])
    monkeypatch.setattr(os, "_exit", ends.append)
    monkeypatch.setattr(sys, "gettrace", lambda: None)
    main.run()
    assert ends == [2]
    monkeypatch.setattr(sys, "gettrace", lambda: main.run)
    with pytest.raises(SystemExit) as end:
        main.run()
    assert end.value.code == 2
    assert ends == [2]
    assert "--badopt" in capsys.readouterr().err


def test_help_into_a_closed_pipe() -> None:
    code = f"{sys.executable} -m leadline --help | :"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", ["-V", "--help", "-O -F -p 1-2-3 --max-rate 0 example.org 10.0.0.0/8", ""])
def test_answers_at_once(arguments: str) -> None:
    code = (
        "import sys\n"
        "from leadline.cli.main import entry\n"
        f"entry({arguments.split()!r})\n"
        f"sys.exit(','.join(name for name in {HEAVY!r} if name in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class FullStream(io.StringIO):
    """Standard output on a full disk; ``fileno`` is of a file of its own."""

    def __init__(self, number: int, error: OSError) -> None:
        super().__init__()
        self.number, self.error = number, error

    def fileno(self) -> int:
        return self.number

    def flush(self) -> None:
        raise self.error


@pytest.mark.parametrize("argument", ["-h", "-V", "--iflist"])
@pytest.mark.parametrize(
    ("error", "told"), [(OSError(28, "No space left on device"), "standard output"), (BrokenPipeError(), "")]
)
def test_what_is_printed_cannot_be_written(
    argument: str, error: OSError, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(os.devnull, "w") as somewhere:
        monkeypatch.setattr(sys, "stdout", FullStream(somewhere.fileno(), error))
        assert main.entry([argument]) == 1
    stderr = capsys.readouterr().err
    assert told in stderr
    assert "internal error" not in stderr
    assert bool(stderr) is bool(told)


def test_streams_that_are_closed_are_into_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert main.entry(["-V"]) == 0
    assert main.entry(["--badopt"]) == 2
    for name in ("stdin", "stdout", "stderr"):
        getattr(sys, name).close()


def test_a_scan_starts_no_threads_for_linear_algebra() -> None:
    program = (
        "import sys; from leadline.cli.main import entry; entry(['-sL', '-n', '127.0.0.1']); "
        "assert 'numpy' in sys.modules; "
        "print([line for line in open('/proc/self/status') if line.startswith('Threads')])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == r"['Threads:\t1\n']"


def test_ways_are_shown_instead_of_a_scan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.entry(["--route-dst", "127.0.0.1"]) == 0
    assert capsys.readouterr().out == "127.0.0.1\n  127.0.0.1: interface lo, from 127.0.0.1, this machine itself\n"
    assert main.entry(["--route-dst", "127.0.0.1", "-S", "x"]) == 2
    assert "-S needs an address" in capsys.readouterr().err
