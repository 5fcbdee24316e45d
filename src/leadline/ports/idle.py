"""The idle scan of one target (spec sheet 5): a zombie's packet counter tells which ports answered it. Sans-IO.

An open port answers a SYN with a SYN/ACK, and the host whose address the SYN bore resets that connection, which costs
it one identification. A closed port's RST costs none. So who knows the counter before and after knows the port.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from leadline.engine.rate import RateLimiter
from leadline.model.event import Event, TimingDecision
from leadline.ports.idle_frames import TARGET_WAY, ZOMBIE_WAY, Heard, IdleFrames
from leadline.ports.idle_pace import Pace
from leadline.ports.idle_search import Chances, Group, IdleSearch
from leadline.ports.idle_sequence import MOST_APART, Counter, Sample, noise_of, recognise
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode

Steps = Generator[float, None, None]
"""What happens one after the other; each step yields the clock seconds until which nothing is to be done."""
Question = Generator[float, None, Heard | None]

FIRST_QUESTIONS, QUESTION_GAP, ROUNDS = 6, 0.03, 3
FALSE_QUESTIONS, FALSE_GAP, FALSE_WAIT, FALSE_ENOUGH = 4, 0.05, 0.3, 2.5
FRAGMENT_WAIT = 0.05
# An answer that is older than this has to be asked for again: the zombie may have sent something meanwhile.
FRESH = 0.1
# Of a zombie that sends more than this a second itself, the noise is measured before every test.
NOISY = 0.2
LONGER_LOOK = 1.5
# Where less noise than this was to be expected, what was counted must have been something else.
FEW_EXPECTED = 0.1
# Packets of its own that a zombie may send during one test: at first, and before the scan is given up.
MOST_NOISE, OVERWHELMED = 0.4, 1.0
MOST_SETBACKS, LONGEST_SETBACK, TRIES = 6, 9.0, 5
KEPT = 64


@dataclass(slots=True)
class ZombieState:
    """What is known of the zombie, over all targets. ``name``: for messages. ``proven``: packets with a false source
    reach it and are counted.
    """

    name: str
    pace: Pace
    chances: Chances = field(default_factory=Chances)
    counter: Counter | None = None
    proven: bool = False
    serial: int = 0


class IdleMachine:
    """``failure``: why the zombie cannot be used (any more), as the end of a sentence about it; empty while it can.

    ``epoch``: clock seconds at which the scan began. ``rate``: of the whole scan.
    """

    def __init__(
        self, zombie: ZombieState, frames: IdleFrames, search: IdleSearch, rate: RateLimiter, epoch: float, now: float
    ) -> None:
        self.zombie, self.frames, self.search = zombie, frames, search
        self.failure = ""
        self.done = False
        self._rate, self._epoch = rate, epoch
        self._now = self._until = now
        self._events: list[Event] = []
        self._out: list[tuple[int, FrameBatch]] = []
        self._sent_at: dict[int, float] = {}
        self._answers: dict[int, Heard] = {}
        self._awaited = -1
        self._last: Heard | None = None
        self._doubt = False
        self._setbacks = 0
        self._opened: list[int] = []
        self._told: set[int] = set()
        self._script = self._all()

    # ---- the shape of a machine ---------------------------------------------------------------------------------

    def poll(self, now: float) -> list[tuple[int, FrameBatch]]:
        """Frames to send now, each with its way (``ZOMBIE_WAY``, ``TARGET_WAY``)."""
        self._now = max(now, self._now)
        while not self.done and (self._now >= self._until or self._awaited in self._answers):
            self._awaited = self._awaited if self._awaited not in self._answers else -1
            try:
                self._until = next(self._script)
            except StopIteration:
                self.done = True
            if self._out:
                break
        out, self._out = self._out, []
        return out

    def receive(self, frames: FrameBatch, now: float) -> None:
        """Frames captured on the zombie's link."""
        if not len(frames) or not self._sent_at:
            return
        for heard in self.frames.heard(decode(frames), range(min(self._sent_at), self.zombie.serial)):
            if heard.serial in self._sent_at and heard.serial not in self._answers:
                self._answers[heard.serial] = heard
                self.zombie.pace.sample(heard.at - self._sent_at[heard.serial])

    def next_timer(self) -> float:
        """When ``poll`` wants to be called again at the latest (clock seconds)."""
        return self._until

    def events(self) -> Iterator[Event]:
        """What became known since the last call."""
        taken, self._events = self._events, []
        yield from taken

    def fresh(self) -> list[int]:
        """Ports that were found open since the last call."""
        taken, self._opened = self._opened, []
        return taken

    def progress(self) -> float:
        """Share of the ports that are decided."""
        return self.search.decided / max(1, len(self.search.standings))

    # ---- what happens, in order ---------------------------------------------------------------------------------

    def _all(self) -> Steps:
        zombie = self.zombie
        if self.frames.bits == 32:
            yield from self._ask_for_fragments()
        if zombie.counter is None:
            yield from self._examine()
        # Of IPv6 the zombie has to add fragment headers for each target anew.
        if not self.failure and (not zombie.proven or self.frames.bits == 32):
            yield from self._prove()
        while not self.failure:
            group = self.search.next_group()
            if group is None:
                return
            yield from self._test(group)

    def _ask_for_fragments(self) -> Steps:
        for as_target in (False, True):
            serial = self._next_serial()
            yield from self._send(ZOMBIE_WAY, self.frames.echo(serial, as_target))
            yield self._now + max(FRAGMENT_WAIT, self.zombie.pace.srtt)
            yield from self._send(ZOMBIE_WAY, self.frames.too_big(serial, as_target))
            yield self._now + FRAGMENT_WAIT

    def _examine(self) -> Steps:
        """Six questions in a row, those without an answer again: what counter does the zombie have?"""
        samples: list[Sample] = []
        first = self.zombie.serial
        for left in reversed(range(ROUNDS)):
            asked = []
            for _ in range(FIRST_QUESTIONS - len(samples)):
                asked.append((yield from self._question()))
                yield self._now + QUESTION_GAP
            end = self._now + self.zombie.pace.patience
            while self._now < end and any(serial not in self._answers for serial in asked):
                self._awaited = next(serial for serial in asked if serial not in self._answers)
                yield end
            self._book(asked)
            samples += [
                Sample(serial - first, self._sent_at[serial], self._answers[serial].number)
                for serial in asked
                if serial in self._answers
            ]
            if len(samples) == FIRST_QUESTIONS and (self.frames.bits == 16 or any(one.number for one in samples)):
                break
            if left and self.frames.bits == 32 and not any(one.number for one in samples):
                samples.clear()
                yield from self._ask_for_fragments()
        if not samples and self.frames.bits == 16:
            self.failure = f"it does not answer SYN/ACK packets to its port {self.frames.port}"
            return
        counter = recognise(samples, self.frames.bits)
        if isinstance(counter, str):
            self.failure = counter
            return
        self.zombie.counter = counter
        seconds = samples[-1].at - samples[0].at
        noise = noise_of(counter, samples)
        self.zombie.chances.watch(noise * seconds, seconds)
        if noise > NOISY:
            # So short a look tells little of how busy it is.
            first_look = yield from self._ask()
            yield self._now + LONGER_LOOK
            yield from self._watch(first_look)
            self._judge_noise(MOST_NOISE)

    def _judge_noise(self, most: float) -> None:
        zombie = self.zombie
        if zombie.chances.expected_noise(zombie.pace.wait + max(zombie.pace.srtt, 0.0)) > most:
            self.failure = (
                f"it is too busy: it sends about {zombie.chances.noise:.0f} packets a second besides those that answer "
                "us"
            )

    def _prove(self) -> Steps:
        """Packets that seem to come from the target must be counted as well as ours."""
        zombie = self.zombie
        for _ in range(ROUNDS):
            before = yield from self._ask()
            if before is None or zombie.counter is None:
                break
            for _ in range(FALSE_QUESTIONS):
                yield from self._send(ZOMBIE_WAY, self.frames.as_target(self._next_serial()))
                yield self._now + FALSE_GAP
            yield self._now + FALSE_WAIT
            after = yield from self._ask()
            if after is None:
                break
            counted = self._packets(before, after)
            seconds = self._sent_at[after.serial] - self._sent_at[before.serial]
            noise = zombie.chances.noise * seconds
            if counted - noise >= FALSE_ENOUGH and counted <= MOST_APART:
                zombie.proven = True
                zombie.chances.watch(max(0, counted - FALSE_QUESTIONS), seconds)
                return
            if self.frames.bits == 32:
                yield from self._ask_for_fragments()
        target = self.frames.target.address(0)
        self.failure = self.failure or (
            f"it does not count packets that seem to come from {target}: its IP IDs are counted for each destination, "
            "or packets with a false source do not get there"
        )

    def _test(self, group: Group) -> Steps:
        """Ask the ports of a group in the zombie's name, and see how far its counter went."""
        pace = self.zombie.pace
        before = yield from self._before()
        if before is None:
            return
        serial = self._next_serial()
        for ports in _portions(group.ports, pace.delay):
            yield from self._send(TARGET_WAY, self.frames.as_zombie(ports, serial))
            if pace.delay:
                yield self._now + pace.delay
        sent = self._now
        after, counted, lost = before, 0, 0
        # A single port is asked about early, too: most answers are there long before the last may be.
        for share in (0.5, 1.0) if len(group.ports) == 1 else (1.0,):
            yield sent + share * pace.wait
            missed = self.zombie.chances.lost
            heard = yield from self._ask()
            if heard is None:
                return
            lost += self.zombie.chances.lost - missed
            counted += self._packets(after, heard)
            after = heard
            if counted - lost >= len(group.ports):
                break
        seconds = self._sent_at[after.serial] - self._sent_at[before.serial]
        # A question without an answer may have been counted, or not have arrived.
        certain = not lost or counted <= 0 or (len(group.ports) == 1 and counted - lost >= 1)
        if not certain or counted > MOST_APART:
            self.search.lost(group)
            yield from self._set_back(counted > MOST_APART)
            return
        self._setbacks = 0
        count = max(0, counted - (lost if counted > lost else 0))
        self._take_in(self.search.told(group, count, seconds, self._now - self._epoch))
        found = [port for port in group.ports if self.search.standings[port].open and port not in self._told]
        self._told.update(found)
        self._opened += found

    def _take_in(self, fits: bool) -> None:
        pace, before = self.zombie.pace, self.zombie.pace.delay
        self._doubt = not fits
        # A longer test would only catch more of the zombie's own traffic, where that is what does not fit.
        if fits or self.zombie.chances.noise > NOISY:
            pace.fits()
        else:
            pace.misfits()
            self._decided("scan_delay", "the counts of two tests differ", before, pace.delay)

    def _decided(self, what: str, cause: str, old: float, new: float) -> None:
        if old != new:
            at, address = self._now - self._epoch, self.frames.target.address(0)
            self._events.append(TimingDecision(at, address, what, cause, old, new))

    def _set_back(self, jumped: bool) -> Steps:
        """Something was lost, or the counter jumped: wait a little, longer each time (spec sheet 5)."""
        self._setbacks += 1
        self._last = None
        if jumped and self._setbacks > MOST_SETBACKS:
            self.failure = "its IP IDs jump about"
        elif self._setbacks > 1:
            yield self._now + min(LONGEST_SETBACK, 0.1 * self._setbacks**2)

    def _before(self) -> Question:
        """The counter just before a test; where the zombie is noisy, how noisy as well."""
        last, chances, pace = self._last, self.zombie.chances, self.zombie.pace
        noisy = self._doubt or chances.noise > NOISY
        if last is not None and not noisy and self._now - last.at <= FRESH:
            return last
        doubt, self._doubt = self._doubt, False
        if not noisy:
            return (yield from self._ask())
        yield self._now + pace.wait
        missed, heard = chances.lost, (yield from self._ask())
        if doubt and heard is not None and last is not None and chances.lost == missed:
            # What is counted only now may be late answers to the test before: that is no noise.
            extra = self._packets(last, heard)
            expected = chances.noise * (heard.at - last.at)
            if expected < FEW_EXPECTED and 0 < extra <= MOST_APART:
                before = pace.wait
                pace.late()
                self._decided("answer_wait", "something was counted after a test", before, pace.wait)
            elif chances.noise > NOISY:
                pace.in_time()
        if heard is None:
            return None
        yield self._now + pace.wait
        again = yield from self._watch(heard)
        self._judge_noise(OVERWHELMED)
        return None if self.failure else again

    def _watch(self, before: Heard | None) -> Question:
        """The counter now; what it says beyond ``before`` is noise."""
        chances = self.zombie.chances
        missed, heard = chances.lost, (yield from self._ask())
        if heard is not None and before is not None and chances.lost == missed:
            extra = self._packets(before, heard)
            if extra <= MOST_APART:
                chances.watch(extra, max(0.001, heard.at - before.at))
        return heard

    def _packets(self, before: Heard, after: Heard) -> int:
        """What the zombie sent between two answers, without the later one."""
        counter = self.zombie.counter
        return 0 if counter is None else counter.packets(before.number, after.number) - 1

    # ---- questions and packets ----------------------------------------------------------------------------------

    def _ask(self) -> Question:
        """The zombie's counter now. ``None``: it has stopped answering, and ``failure`` says so."""
        patience = self.zombie.pace.patience
        for attempt in range(TRIES):
            serial = yield from self._question()
            end = self._now + min(patience * 2**attempt, max(patience, LONGEST_SETBACK))
            self._awaited = serial
            while self._now < end and serial not in self._answers:
                yield end
            self._awaited = -1
            self._book([serial])
            if serial in self._answers:
                self._last = self._answers[serial]
                return self._last
        self.failure = f"it does not answer any more ({TRIES} questions in a row)"
        return None

    def _book(self, serials: list[int]) -> None:
        chances = self.zombie.chances
        chances.asked += len(serials)
        chances.lost += sum(serial not in self._answers for serial in serials)

    def _question(self) -> Generator[float, None, int]:
        serial = self._next_serial()
        yield from self._send(ZOMBIE_WAY, self.frames.question(serial))
        self._sent_at[serial] = self._now
        for old in [one for one in self._sent_at if one <= serial - KEPT]:
            del self._sent_at[old]
            self._answers.pop(old, None)
        return serial

    def _next_serial(self) -> int:
        self.zombie.serial += 1
        return self.zombie.serial - 1

    def _send(self, way: int, batch: FrameBatch) -> Steps:
        """As the rate of the scan allows."""
        while self._rate.room(self._now, len(batch)) < min(len(batch), 1):
            yield self._rate.next_time(self._now) or self._now
        self._rate.sent(len(batch))
        self._out.append((way, batch))


def _portions(ports: tuple[int, ...], delay: float) -> Iterator[tuple[int, ...]]:
    """All at once, or one by one."""
    if not delay:
        yield ports
        return
    for port in ports:
        yield (port,)
