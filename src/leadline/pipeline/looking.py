"""The second look at hosts that seem to have every port open, and what becomes of them after it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import field, replace

from leadline.data.ranking import top_ports
from leadline.engine.session import Session
from leadline.engine.turns import Step
from leadline.model.host import Host
from leadline.model.plan import Technique
from leadline.model.port import Protocol
from leadline.model.quick_dataclass import dataclass
from leadline.pipeline.known import Known, host_done
from leadline.ports.everywhere_open import collapse, judge, to_try, unverified
from leadline.ports.second_look import Looked, SecondLook
from leadline.ports.stage import techniques_of

# Ports are tried in the order of their popularity, as far as anybody has one.
_POPULAR = 100


def with_doubt(host: Host) -> Host:
    """A host that could not be looked at again says so."""
    return replace(host, remarks=(*host.remarks, unverified(host.ports, host.summaries)))


def after_look(host: Host, looked: Looked, *, every_port: bool = False) -> Host:
    """The host with what the second look proves; ``every_port``: all stay in the list, whatever they are worth."""
    if not looked.complete:
        return with_doubt(host)
    judgement = judge(looked.random, looked.named)
    if not judgement.everywhere:
        return host
    remarked = replace(host, remarks=(*host.remarks, judgement.remark))
    if every_port:
        return remarked
    ports, summaries = collapse(host.ports, host.summaries, judgement.listed)
    return replace(remarked, ports=ports, summaries=summaries)


@dataclass(slots=True)
class Looks:
    """For the whole scan; begins with the first host. ``then``: takes a host after its look, or says no."""

    session: Session
    then: Callable[[Known, int, Host, float], bool]
    stage: SecondLook | None = None
    _asked: dict[int, tuple[Known, int, Host, float]] = field(default_factory=dict)
    _next: int = 0

    @property
    def allowed(self) -> bool:
        """Connections come from this machine's own address: not where the user wants that hidden."""
        shape = self.session.outfit.shape
        own = {Technique.SYN, Technique.CONNECT} & set(techniques_of(self.session))
        return bool(own) and shape.source is None and not shape.decoys

    def ask(self, known: Known, place: int, host: Host, spent: float) -> None:
        """Take a host that is suspected."""
        if self.stage is None:
            self.stage = SecondLook(self.session)
        popular = top_ports(Protocol.TCP, _POPULAR)
        random, named = to_try(host.ports, host.summaries, popular, self.session.generator)
        self._asked[self._next] = (known, place, host, spent)
        self.stage.add(self._next, host.address, known.block.scopes.get(place, ""), random, named)
        self._next += 1

    def steps(self) -> Generator[Step, None, None]:
        """Look until no more hosts come and all are done; those that nobody takes afterwards are given."""
        assert self.stage is not None
        for event in self.stage.steps():
            if isinstance(event, Looked):
                known, place, host, spent = self._asked.pop(event.row)
                every = self.session.plan.output.debugging > 2
                known.hosts[place] = after = after_look(host, event, every_port=every)
                # With all its ports in the list there would be no end of asking them.
                pointless = every and after is not host
                host = after
                if pointless or not self.then(known, place, host, spent):
                    yield host_done(known, place, known.hosts[place], self.session)
            else:
                yield event
