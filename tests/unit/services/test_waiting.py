from leadline.model.plan import ServicePlan, TimingPlan
from leadline.plan.presets import TEMPLATES
from leadline.services.waiting import Waits, waits_of
from tests.support.playbook import matcher


def test_waits_follow_the_round_trip() -> None:
    waits = Waits()
    for wait in (waits.grace, waits.tail, waits.move_on, waits.trailing, waits.single, waits.least):
        assert wait(0.0) > 0
        assert wait(1.0) > wait(0.0)
    assert waits.tail(0.1) < waits.grace(0.1) < waits.move_on(0.1) < waits.trailing(0.1) < waits.least(0.1)


def test_the_users_wait_replaces_patience() -> None:
    null = matcher().probes.probes[0]
    assert Waits().give_up(null) == 6.0
    assert Waits(wait=1.5).give_up(null) == 1.5
    assert Waits(wait=1.5).least(0.0) == 1.5


def test_templates_below_three_ask_one_at_a_time() -> None:
    for template in (0, 1, 2):
        waits = waits_of(ServicePlan(enabled=True), TEMPLATES[template])
        assert (waits.streams, waits.per_host, waits.patient) == (1, 1, True)
    ours = [waits_of(ServicePlan(), TEMPLATES[template]) for template in (3, 4, 5)]
    assert [waits.per_host for waits in ours] == [40, 60, 80]
    assert not any(waits.patient for waits in ours)


def test_parallelism_bounds_the_connections_to_a_host() -> None:
    assert waits_of(ServicePlan(), TimingPlan(max_parallelism=3)).per_host == 3
    assert waits_of(ServicePlan(), TimingPlan(max_parallelism=3)).streams == 3
    one = waits_of(ServicePlan(), TimingPlan(max_parallelism=1))
    assert (one.streams, one.per_host, one.patient) == (1, 1, True)
    assert waits_of(ServicePlan(), TimingPlan(min_parallelism=100)).per_host == 100


def test_patience_is_one_connection_a_port() -> None:
    waits = waits_of(ServicePlan(patient=True), TimingPlan())
    assert (waits.streams, waits.patient) == (1, True)
    assert waits.per_host > 1


def test_handshakes_may_take_longer_than_connections() -> None:
    assert Waits().connect(tls=True) > Waits().connect(tls=False)
