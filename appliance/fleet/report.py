"""What became of a run, for people and programs. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from appliance.fleet.course import State

if TYPE_CHECKING:
    from appliance.fleet.record import Step, Told

GOOD, NOT_ALL, GO_ON = 0, 1, 75                   # exit statuses; 75, EX_TEMPFAIL: resume goes on


def status(told: "Told") -> int:
    """GOOD only when every box is done."""
    if told.good:
        return GOOD
    begun = all(step.state is not State.WAITING for step in told.steps)
    return NOT_ALL if begun and told.ended_at and not told.stopped else GO_ON


def needs_again(told: "Told") -> bool:
    """Whether the run goes on only with what failed, too."""
    return any(step.state is State.FAILED or (step.state is State.UNKNOWN and told.kind == "run")
               for step in told.steps)


def counts(steps: "Sequence[Step]") -> str:
    """Like 47 of 50 done, 2 unreachable, 1 failed."""
    many = Counter(step.state for step in steps)
    rest = [f"{many[state]} {state}" for state in State if state is not State.DONE and many[state]]
    return ", ".join([f"{many[State.DONE]} of {len(steps)} done", *rest])


def bad(steps: "Sequence[Step]") -> list[tuple[str, str]]:
    """Boxes that are not done: head and reason."""
    wide = max((len(step.box) for step in steps), default=0)
    return [(f"{step.box:<{wide}}  {step.state}{': ' if step.why else ''}", step.why)
            for step in steps if step.state is not State.DONE]


def summary(told: "Told") -> dict[str, Any]:
    """For programs, without its boxes."""
    return {"run": told.name, "kind": told.kind, "began_at": told.began_at, "by": told.by,
            "ended_at": told.ended_at or None, "stopped": told.stopped, "good": told.good,
            "status": status(told), "counts": dict(Counter(str(step.state) for step in told.steps))}


def plain(told: "Told") -> dict[str, Any]:
    """For programs."""
    return {**summary(told), "boxes": [of_step(step) for step in told.steps]}


def of_step(step: "Step") -> dict[str, Any]:
    return {"box": step.box, "wave": step.wave + 1, "state": str(step.state), "phase": step.phase,
            "why": step.why, "facts": _shown(step.facts)}


def _shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if not key.startswith("_")}
