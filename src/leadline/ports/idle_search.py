"""Which ports are open, found by counting: groups of ports are asked together, and those that count are halved.

A test of a group gives one number: how many packets its zombie sent that nobody else accounts for. Each port collects
what the tests say for and against it (a sequential probability ratio test): under loss silence weighs less, beside a
chattering zombie a count does, so that both only cost further tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log

# A port is open when that is so many times likelier than not (e**9: 8,100 times), and given up on as silent at e**-6.
OPEN_AT, SILENT_AT, LEAST_HITS = 9.0, -6.0, 2
# No estimate is as good as certainty, so that no single test decides that a port is open.
LEAST_CHANCE, MOST_CHANCE, MOST_WEIGHT = 0.002, 0.95, 6.5
# Ports asked at once (spec sheet 5).
FIRST_SIZE, SIZE_AFTER_LOSS, LEAST_SIZE, MOST_SIZE = 30.0, 12.0, 4.0, 100.0
# Below this the chance of noise is small enough to conclude from one half of a group what the other is.
QUIET = 0.02
# How probable noise in each repetition of a test may be before the count is believed.
DOUBT = 0.1
# Of a hundred ports two are open or so: the logarithm of the odds that a port is not.
FEW_ARE_OPEN = 3.9
MOST_TESTS = 100
MOST_REOPENED = 4


@dataclass(slots=True)
class Standing:
    """What is known of a port. ``odds``: logarithm of open against silent; ``tests`` made, ``hits``: that counted it;
    ``distance``: of the latest test, packets that the zombie sent for it or for the group it was in.
    """

    odds: float = 0.0
    tests: int = 0
    hits: int = 0
    silent: int = 0
    distance: int = 0
    asked_with: int = 1
    reopened: int = 0
    open: bool | None = None
    at: float = 0.0


@dataclass(slots=True)
class Group:
    """Ports to be asked together.

    ``expected``: how many of them are open, as far as an earlier test says. Of the first half of a group: ``other`` is
    the second one, ``whole`` what both counted together. ``suspects``: ports that had been found silent just before the
    group was first asked, or in its first half: their answers may be what was counted. ``least`` was counted in
    ``repeats`` earlier tests of the same group.
    """

    ports: tuple[int, ...]
    expected: int | None = None
    other: Group | None = None
    whole: int = 0
    suspects: tuple[int, ...] = ()
    least: int | None = None
    repeats: int = 0


@dataclass(slots=True)
class Chances:
    """Estimates from everything seen so far. ``noise``: packets a second; loss: of what is sent to the zombie."""

    extra: float = 0.0
    watched: float = 0.0
    asked: int = 0
    lost: int = 0

    @property
    def noise(self) -> float:
        # Who was watched only for a moment may be noisier than that moment was.
        return (self.extra + 0.1) / (self.watched + 1.0)

    def expected_noise(self, seconds: float) -> float:
        """Packets that the zombie may send of its own within ``seconds``."""
        return max(LEAST_CHANCE, self.noise * seconds)

    @property
    def of_loss(self) -> float:
        """That an open port is not counted: three ways have to be travelled where an answer of the zombie takes two."""
        # Most ways lose nothing: what is not seen to be lost is believed after a few answers.
        one_round = (self.lost + 0.05) / (self.asked + 20.0)
        survival: float = (1.0 - min(one_round, 0.9)) ** 1.5
        return min(MOST_CHANCE, max(LEAST_CHANCE, 1.0 - survival))

    def watch(self, extra: float, seconds: float) -> None:
        """For ``seconds`` nothing was asked of anybody but the zombie, and it sent ``extra`` packets more than that."""
        # Old observations fade, so that a burst of noise does not slow down the rest of the scan.
        share: float = 0.5 ** (seconds / 20.0)
        self.extra = self.extra * share + extra
        self.watched = self.watched * share + seconds


class IdleSearch:
    """``ports`` in the order in which they are asked. ``fixed_size``: of groups, where the user chose it."""

    def __init__(self, ports: Iterable[int], chances: Chances, max_retries: int, fixed_size: int | None = None) -> None:
        self.standings = {port: Standing() for port in ports}
        self.chances = chances
        self.most_silent = max_retries + 1
        self._fixed = fixed_size
        self.size = float(fixed_size or FIRST_SIZE)
        self._fresh = list(reversed(self.standings))
        self._again: list[int] = []
        self._stack: list[Group] = []
        self._just_silent: list[int] = []
        self._decided = 0
        self._seconds = 0.1

    @property
    def done(self) -> bool:
        return self._decided == len(self.standings)

    @property
    def decided(self) -> int:
        """How many ports are."""
        return self._decided

    def next_group(self) -> Group | None:
        """What to ask next; ``None`` when all is decided."""
        while self._stack:
            group = self._stack.pop()
            group.ports = self._undecided(group.ports)
            if group.ports:
                return group
        source = self._fresh
        if not source:
            self._again = list(self._undecided(dict.fromkeys(self._again))) or self._doubtful()
            source = self._again
        chosen = [source.pop() for _ in range(min(max(1, int(self.size)), len(source)))]
        return Group(tuple(chosen), suspects=tuple(self._just_silent)) if chosen else None

    def _doubtful(self) -> list[int]:
        """Ports that were decided when less was known of loss and noise than is now: they are undecided again."""
        silence = log(self.chances.of_loss)
        hit = self._weight(1, 1, self._seconds)
        doubtful = []
        for port, standing in self.standings.items():
            if standing.tests >= MOST_TESTS:
                continue
            if standing.open:
                doubted = hit * standing.hits < OPEN_AT - 0.5 and standing.reopened < MOST_REOPENED
                standing.reopened += doubted
            else:
                doubted = silence * standing.silent > SILENT_AT + 0.5 and standing.silent < self.most_silent
            if doubted:
                standing.odds = hit * standing.hits if standing.open else max(standing.odds, silence * standing.silent)
                standing.open = None
                self._decided -= 1
                doubtful.append(port)
        return doubtful

    def _weight(self, count: int, width: int, seconds: float) -> float:
        """What a full count says for each port of a group. What is more than the ports account for is noise, one packet
        more of it if a port is not open: the ratio of the two Poisson probabilities.
        """
        noise, loss = self.chances.expected_noise(seconds), self.chances.of_loss
        return min(MOST_WEIGHT, log((1.0 - loss) * (count - width + 1) / noise + loss))

    def _undecided(self, ports: Iterable[int]) -> tuple[int, ...]:
        return tuple(port for port in ports if self.standings[port].open is None)

    def told(self, group: Group, count: int, seconds: float, now: float) -> bool:
        """A test of ``group`` in ``seconds`` counted ``count`` packets. Whether it fits what was known before."""
        width = len(group.ports)
        fits = 0 <= count <= width and (group.expected is None or count == group.expected)
        self._just_silent, self._seconds = [], seconds
        self._note(group, count, now)
        if count <= 0 and group.expected and self.chances.expected_noise(seconds) <= QUIET:
            # One of the two counts is wrong: something was lost, or the first one counted late answers to others.
            self.chances.asked += 1
            self.chances.lost += 1
            self._stack.append(Group(group.ports, suspects=group.suspects))
            self._reopen(group.suspects)
        elif count <= 0:
            self._misses(group)
        elif count == width or width == 1:
            self._hits(group, count, seconds)
        elif self._noise_may_be_all(group, seconds):
            least = count if group.least is None else min(count, group.least)
            again = Group(
                group.ports, group.expected, group.other, group.whole, group.suspects, least, group.repeats + 1
            )
            self._stack.append(again)
            return fits
        else:
            count = count if group.least is None else min(count, group.least)
            self._suspect(group, count, seconds)
            middle = width // 2
            second = Group(group.ports[middle:], suspects=group.suspects)
            first = Group(group.ports[:middle], other=second, whole=count, suspects=group.suspects)
            self._stack += [second, first]
        self._conclude(group, count, seconds, now)
        if self._fixed is None:
            self.size = min(MOST_SIZE, self.size * 1.1) if fits else max(LEAST_SIZE, self.size * 0.8)
        return fits

    def _conclude(self, group: Group, count: int, seconds: float, now: float) -> None:
        """What the whole group's count leaves for its second half, once the first was asked."""
        second, group.other = group.other, None
        if second is None:
            return
        rest = max(group.whole - count, 0)
        if rest == 0 and self.chances.expected_noise(seconds) <= QUIET and second in self._stack:
            self._stack.remove(second)
            self._note(second, 0, now)
            self._misses(second)
        else:
            second.expected = rest
            second.suspects += group.ports

    def _noise_may_be_all(self, group: Group, seconds: float) -> bool:
        """Whether the same test should be made again before a group is halved: noise only adds, the least count is
        nearest to the truth.
        """
        chance = 1.0 - exp(-self.chances.expected_noise(seconds))
        return chance > QUIET and chance ** (group.repeats + 1) > DOUBT

    def _suspect(self, group: Group, count: int, seconds: float) -> None:
        """Some of a group are open: each is, with a chance that later silence has to weigh against."""
        share = min(count, len(group.ports) - 0.5) / len(group.ports)
        odds = log(share / (1.0 - share)) + FEW_ARE_OPEN
        odds = min(odds, log(count / self.chances.expected_noise(seconds)))
        for port in self._undecided(group.ports):
            self.standings[port].odds = max(self.standings[port].odds, odds)

    def _note(self, group: Group, count: int, now: float) -> None:
        for port in self._undecided(group.ports):
            standing = self.standings[port]
            standing.tests += 1
            standing.distance, standing.asked_with, standing.at = count, len(group.ports), now
            if standing.tests >= MOST_TESTS:
                self._decide(port, standing.odds >= OPEN_AT / 2 and standing.hits >= LEAST_HITS)

    def _misses(self, group: Group) -> None:
        # Nothing was counted: of an open port that is as likely as loss, of any other certain but for noise.
        weight = log(self.chances.of_loss)
        for port in self._undecided(group.ports):
            standing = self.standings[port]
            standing.odds += weight
            standing.silent += 1
            if standing.odds <= SILENT_AT or standing.silent >= self.most_silent:
                self._decide(port, False)
                self._just_silent.append(port)
            else:
                self._again.append(port)

    def _hits(self, group: Group, count: int, seconds: float) -> None:
        weight = self._weight(count, len(group.ports), seconds)
        for port in self._undecided(group.ports):
            standing = self.standings[port]
            standing.odds += weight
            standing.hits += 1
            if standing.odds >= OPEN_AT and standing.hits >= LEAST_HITS:
                self._decide(port, True)
        left = self._undecided(group.ports)
        if left:
            self._stack.append(Group(left, suspects=group.suspects))

    def _decide(self, port: int, is_open: bool) -> None:
        self.standings[port].open = is_open
        self._decided += 1

    def _reopen(self, ports: tuple[int, ...]) -> None:
        """What was found silent may have answered too late."""
        for port in ports:
            standing = self.standings[port]
            if standing.open is False and standing.reopened < MOST_REOPENED and standing.tests < MOST_TESTS:
                standing.open, standing.odds, standing.silent = None, 0.0, 0
                standing.reopened += 1
                self._decided -= 1
                self._again.append(port)

    def lost(self, group: Group) -> None:
        """A test came to nothing, because something was lost: the same again, and from now on smaller groups."""
        self._stack.append(group)
        if self._fixed is None:
            self.size = max(LEAST_SIZE, min(SIZE_AFTER_LOSS, self.size * 0.8))
