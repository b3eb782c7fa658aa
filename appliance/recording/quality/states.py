"""An evaluation's life: what may follow what."""

from typing import Literal

from appliance.errors import StateError

State = Literal["draft", "submitted", "acknowledged", "appealed", "decided"]
Step = Literal["submit", "acknowledge", "appeal", "uphold", "change", "revise"]

# (state, step) -> the next state. A revision is a draft beside what is submitted, which stays until it is.
TABLE: dict[tuple[State, Step], State] = {
    ("draft", "submit"): "submitted",
    ("submitted", "acknowledge"): "acknowledged",
    ("submitted", "appeal"): "appealed",
    ("submitted", "revise"): "submitted",
    ("acknowledged", "appeal"): "appealed",
    ("acknowledged", "revise"): "submitted",
    ("appealed", "uphold"): "decided",
    ("appealed", "change"): "decided",
    ("decided", "acknowledge"): "acknowledged",
}

_SAID = {"submit": "submitted", "acknowledge": "acknowledged", "appeal": "appealed against",
         "uphold": "decided", "change": "decided", "revise": "revised"}


def follow(state: State, step: Step, decided: bool) -> State:
    """StateError says what this state does not allow. `decided`: an appeal against it was."""
    after = TABLE.get((state, step))
    if after is None:
        raise StateError(f"it is {state}: it cannot be {_SAID[step]} now")
    if decided and step in ("appeal", "revise"):
        raise StateError(f"an appeal against it was decided: it cannot be {_SAID[step]} any more")
    return after
