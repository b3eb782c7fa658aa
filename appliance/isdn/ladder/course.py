"""Frames with their times as the steps of a ladder; a link's upkeep is folded into one step."""
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appliance.isdn.ladder.rung import Rung, describe
from appliance.isdn.ladder.watch import LinkWatch

Frame = tuple[float, bool, bytes]                 # unix time, sent by us, without FCS


@dataclass(frozen=True, slots=True)
class Step:
    """One frame."""

    at: float                                     # unix time
    rung: Rung


@dataclass(frozen=True, slots=True)
class Fold:
    """`count` frames of upkeep in a row, from `at` to `until`."""

    at: float
    until: float
    count: int


class Course:
    """Of one D-channel, frame by frame. `upkeep`: that too as steps."""

    def __init__(self, network_side: bool, *, upkeep: bool = False) -> None:
        self._network_side, self._upkeep = network_side, upkeep
        self._watch = LinkWatch(network_side)
        self._folded: Fold | None = None

    def add(self, frame: Frame) -> Iterator[Step | Fold]:
        """The steps that are complete with it."""
        at, sent, octets = frame
        again, upkeep = self._watch.see(sent, octets)
        if upkeep and not self._upkeep:
            before = self._folded
            self._folded = Fold(before.at if before else at, at, before.count + 1 if before else 1)
            return
        yield from self.end()
        yield Step(at, describe(octets, sent, self._network_side, again))

    def end(self) -> Iterator[Fold]:
        """What is still folded."""
        if self._folded:
            yield self._folded
            self._folded = None


def ladder(frames: Iterable[Frame], network_side: bool, *, upkeep: bool = False) -> Iterator[Step | Fold]:
    """All frames of one D-channel in their order. `upkeep`: that too as steps."""
    course = Course(network_side, upkeep=upkeep)
    for frame in frames:
        yield from course.add(frame)
    yield from course.end()
