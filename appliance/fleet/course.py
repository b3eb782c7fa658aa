"""How a run goes over its boxes: who may begin, when a wave is good enough, what a box's end means. Pure.

Waves are done one after the other, within one `parallel` boxes at a time. A wave that did not go well enough
is the last: what was not begun stays so, and is said to be so.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from appliance.errors import ConfigError


class State(StrEnum):
    """Of one box in one run. Only DONE is good."""

    WAITING = "not begun"
    GOING = "going on"
    DONE = "done"
    FAILED = "failed"                             # the box said no, or showed that it was not done
    REFUSED = "refused"                           # the box does not let us in, or not do this
    UNREACHABLE = "unreachable"                   # nothing was done there
    UNTRUSTED = "wrong host key"                  # nothing was said to whoever is there
    UNKNOWN = "unknown"                           # contact was lost in the middle


OVER = frozenset(State) - {State.WAITING, State.GOING}
UNTOUCHED = frozenset({State.WAITING, State.REFUSED, State.UNREACHABLE, State.UNTRUSTED})


@dataclass(frozen=True, slots=True)
class End:
    """What became of a box: `why` is a sentence for people, `facts` plain JSON for programs."""

    state: State
    why: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


def waves(boxes: Sequence[str], spec: str) -> list[list[str]]:
    """Cut by a list like 1,10%,50%: how many are in each, of all; what is left is the last wave.

    ConfigError: it cannot be read. "": one wave.
    """
    if not boxes:
        return []
    cut: list[list[str]] = []
    rest = list(boxes)
    for word in filter(None, (part.strip() for part in spec.split(","))):
        number = word.removesuffix("%")
        if not number.isdecimal() or int(number) < 1 or (word.endswith("%") and int(number) > 100):
            raise ConfigError(f"waves: {word!r}: write how many boxes, or a share of all, as in 1,10%,50%")
        many = max(1, len(boxes) * int(number) // 100) if word.endswith("%") else int(number)
        if rest:
            cut.append(rest[:many])
            rest = rest[many:]
    return [*cut, rest] if rest else cut


class Course:
    """`states`: of each box so far, by name; those that are over are not begun again.

    `followed`: of these, boxes on which work of an earlier try may go on: they are begun whatever became of
    their wave.
    """

    def __init__(self, cut: Sequence[Sequence[str]], states: Mapping[str, State], *, parallel: int,
                 most_failures: int, followed: Collection[str] = ()) -> None:
        self._waves = [list(wave) for wave in cut]
        self.states = {box: states.get(box, State.WAITING) for wave in self._waves for box in wave}
        self._parallel, self._most_failures = parallel, most_failures
        self.stopped = ""                         # why no further wave is begun
        self._open = 0                            # the wave whose boxes may begin
        self._wave_of = {box: wave for wave, boxes in enumerate(self._waves) for box in boxes}
        self._bad = [sum(map(self._is_bad, wave)) for wave in self._waves]
        waits = [box for box, state in self.states.items() if state is State.WAITING]
        self._followed = deque(box for box in waits if box in followed)
        self._left: list[deque[str]] = [deque() for _ in self._waves]
        for box in waits:
            if box not in followed:
                self._left[self._wave_of[box]].append(box)
        self._going = 0

    def begin(self) -> list[str]:
        """Boxes that may begin now; they are GOING."""
        self._judge()
        found: list[str] = []
        queues = [self._followed]
        if not self.stopped and self._open < len(self._waves):
            queues.append(self._left[self._open])
        for queue in queues:
            while queue and self._going + len(found) < self._parallel:
                found.append(queue.popleft())
        for box in found:
            self.states[box] = State.GOING
        self._going += len(found)
        return found

    def ended(self, box: str, end: End) -> None:
        self.states[box] = end.state
        self._going -= 1
        self._bad[self._wave_of[box]] += self._is_bad(box)
        self._judge()

    def gate(self) -> list[str] | None:
        """Boxes of a wave that is over, to be looked at before the next one; None: go on as begin() says."""
        if (self.stopped or self._open + 1 >= len(self._waves)
                or any(self.states[box] not in OVER for box in self._waves[self._open])):
            return None
        return [box for box in self._waves[self._open] if self.states[box] is State.DONE]

    def passed(self, wrong: Mapping[str, str]) -> None:
        """What gate() asked for: boxes of the wave that are not well any more, with reasons."""
        if len(wrong) + self._bad[self._open] > self._most_failures:
            self.stopped = (f"wave {self._open + 1} of {len(self._waves)}: "
                            + "; ".join(f"{box}: {why}" for box, why in wrong.items()))
        else:
            self._open += 1

    def wave(self, box: str) -> str:
        """Like wave 2 of 3; "" where there is but one."""
        many = len(self._waves)
        return f"wave {self._wave_of[box] + 1} of {many}" if many > 1 else ""

    def _is_bad(self, box: str) -> bool:
        return self.states[box] in OVER and self.states[box] is not State.DONE

    def _judge(self) -> None:
        """Of one wave alone all boxes are tried."""
        if len(self._waves) > 1 and self._bad[self._open] > self._most_failures:
            bad, all_of = self._bad[self._open], len(self._waves[self._open])
            self.stopped = (f"wave {self._open + 1} of {len(self._waves)}: {bad} of {all_of} boxes did not "
                            f"do it, at most {self._most_failures} may")


def again(states: Mapping[str, State], *, safe: bool, failed: bool) -> dict[str, State]:
    """What resume begins with: of boxes that are to be done once more the state is WAITING.

    Untouched ones always; ones of which nobody knows only where doing it twice is `safe`, because the work
    looks first what is true, or `failed` wants it; ones that failed only with `failed`.
    """
    once_more = set(UNTOUCHED)
    if safe or failed:
        once_more.add(State.UNKNOWN)
    if failed:
        once_more.add(State.FAILED)
    return {box: State.WAITING if state in once_more else state for box, state in states.items()}
