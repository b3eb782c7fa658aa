"""Definitions in words, and docs/metrics.md: `python -m appliance.centre.figures.words` prints it."""

from collections.abc import Iterator

from appliance.centre.figures.definitions import (
    ABANDONED,
    ANSWERED,
    AT_WORK,
    BUSY,
    CONTENT,
    FIGURES,
    GIVEN,
    HOLDS,
    OFFERED,
    PAUSED,
    RATED,
    REACHED,
    READY,
    STAYS,
    TALKS,
    TURNED_AWAY,
    UNREACHABLE,
    WAITING,
    WENT_ELSEWHERE,
    WRAP_UPS,
    Figure,
    Pick,
)
from appliance.centre.figures.ongoing import AGENT, NODE, QUEUE, TRUNK

NAMES = {
    ANSWERED.what: "answered", ABANDONED.what: "abandoned", TURNED_AWAY.what: "turned away",
    WENT_ELSEWHERE.what: "overflowed + left + failed", WAITING.what: "waiting", TALKS.what: "talks",
    HOLDS.what: "holds", WRAP_UPS.what: "wrap-ups", GIVEN.what: "transferred", AT_WORK.what: "at work",
    READY.what: "ready", PAUSED.what: "not ready", UNREACHABLE.what: "unreachable", BUSY.what: "calls",
    STAYS.what: "entered and left", ("abandoned/hung up",): "hung up", ("here",): "here now",
    ("hung up",): "hung up here", ("overflowed",): "overflowed", ("left",): "left", ("failed",): "failed",
    ("left/callback",): "left for a callback", ("told",): "expected",
    ("waited",): "waits", REACHED.what: "called back", ("callback",): "callbacks that are over",
    RATED.what: "answers", CONTENT.what: "answers of 4 or 5",
    ("rung",): "rings", ("rung/answered",): "rings answered", ("dial/out",): "outbound calls dialled",
    ("talk/out",): "outbound talks", ("dial/internal",): "internal calls dialled",
    ("talk/consult", "talk/conference"): "talks as consulted or invited",
    ("in",): "inbound calls", ("in/answered",): "inbound calls answered", ("out",): "outbound calls",
    ("out/answered",): "outbound calls answered", ("out/blocked",): "outbound calls without a channel",
}
LIMITS = (("upto", "in at most"), ("over", "in more than"), ("under", "in less than"),
          ("least", "in at least"))
TERMS = {"within_ms": "T", "short_ms": "S"}
HEADINGS = {QUEUE: "Of queues", AGENT: "Of agents", TRUNK: "Of trunks", NODE: "Of nodes of flows"}

HEAD = """\
# Metrics

Every figure that the box prints, as the code counts it: this page is made from
`appliance/centre/figures/definitions.py` (`python -m appliance.centre.figures.words`), and a test fails when
it is another one. `branchline figures` and the bus's `GetFigures` give each figure with what is above the
line and below it; `--contacts FIGURE` and `GetFigureCounts` list the contacts, or the times of agents and
trunks, that are counted there.

**Where it comes from.** The event log, and nothing else. What counts is written beside the events in the same
commit, and `branchline rebuild` makes the same tables again, octet for octet. Times are whole
milliseconds.

**When something counts.** For its queue a contact counts in the quarter of an hour in which it joined it,
whatever comes of it and whenever (so numerator and denominator are the same contacts, and no interval has a
share above 100 %; other systems count an answer where it happens, and can show more answers than calls).
An agent's part of a contact counts, with all of its talk, hold and wrap-up, in the quarter in which that
agent's talk began, and once it is over. A node counts where it was entered, a call where it began. States of
agents and channels in use are times: they are cut where quarters begin, so a quarter never has more than
900 s of one agent. Who still waits is in `offered` and `waiting`, and is judged by a service level only once
he is late.

**Live figures** are the same ones: of today so far, of the last 30 minutes (borders need not be those of
quarters up to two days), and what goes on at this moment is in them.

**All queues together** count a contact once: from the first queue that it joined to the first answer, with
all of its waits and without the flow between them. A contact that overflows from one queue to another is in
both, and once in all. Who is answered and then transferred into a queue is in that queue, and not again in
all. All agents together are the sum of the agents.

**Averages** of a longer time, or of several queues, are made from what was counted, never from averages.

**A wait** is from joining the queue to the talk, ringing included; the flow before it is not in it, nor is a
talk before a transfer. **Abandoned** are those who hang up in line, and those whom the box sends away: out of
the queue because nobody serves it, it is full or the wait too long, and then to nobody and nothing. Who takes
another way by his own choice has **left**; who is sent to another queue, a person or a forward has
**overflowed**.

T is the queue's `service_level.within_s` (of all queues: `centre.targets.service_level.within_s`); S
`short_abandon_s`, N `repeat_days` of `centre.targets`. Targets are beside the figures in `centre.targets`.
"""


def formula(figure: Figure) -> str:
    """In words, with T, S and N for what is configured."""
    if figure.formula:
        return figure.formula
    if not figure.bottom:
        return _sum(figure.top, True) if figure.time_top else " + ".join(map(_pick, figure.top))
    top = _sum(figure.top, figure.time_top)
    return f"{_bracketed(top)} / {_bracketed(_sum(figure.bottom, figure.time_bottom))}"


def page() -> str:
    """docs/metrics.md."""
    return HEAD + "".join(f"\n{line}" if line else "\n" for line in _tables())


def _tables() -> Iterator[str]:
    for of, figures in FIGURES.items():
        yield f"## {HEADINGS[of]}"
        yield ""
        yield "| figure | 中文 | name | formula | unit | what counts, what not | whose definition | target |"
        yield "|---|---|---|---|---|---|---|---|"
        for one in figures:
            target = f"{'at least' if one.least else 'at most'} `{one.target}`" if one.target else ""
            cells = (f"`{one.name}`", one.zh, one.en, formula(one), one.unit, one.note, one.whose, target)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""


def _sum(picks: tuple[Pick, ...], time: bool) -> str:
    said = "offered" if picks == OFFERED else " + ".join(_pick(pick) for pick in picks)
    return f"time of {_bracketed(said)}" if time else said


def _pick(pick: Pick) -> str:
    limits = [f"{words} {TERMS[getattr(pick, name)]}" for name, words in LIMITS if getattr(pick, name)]
    return " ".join([NAMES[pick.what], *limits])


def _bracketed(text: str) -> str:
    return f"({text})" if " + " in text else text


if __name__ == "__main__":
    print(page(), end="")
