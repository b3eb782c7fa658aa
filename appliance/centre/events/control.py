"""Of call control. `by`: a user, "telephone", "" for the box itself or its command line."""

from appliance.centre.events.base import LogEvent


class Held(LogEvent, frozen=True):
    """The customer hears music."""

    by: str = ""


class Retrieved(LogEvent, frozen=True):
    """Customer and agent hear each other again."""

    by: str = ""


class PartyAdded(LogEvent, frozen=True):
    """Its telephone is rung. `role`: of appliance.centre.state.Party."""

    leg: str
    role: str
    number: str
    agent: str = ""
    mode: str = ""
    by: str = ""


class PartyAnswered(LogEvent, frozen=True):
    of_leg: str


class PartyGone(LogEvent, frozen=True):
    of_leg: str
    cause: int                                    # Q.850
    reason: str = ""


class Conferenced(LogEvent, frozen=True):
    """Customer, agent and all parties that talk hear each other; recording "": not recorded."""

    recording: str
    by: str = ""


class Paired(LogEvent, frozen=True):
    """The conference is two again."""

    recording: str


class LetGo(LogEvent, frozen=True):
    """The agent leaves the customer to the box. `why`: transfer, park."""

    agent: str
    why: str
    by: str = ""


class TakenOver(LogEvent, frozen=True):
    """The party of this leg is the contact's agent from now on; `agent` "": somebody else's telephone."""

    of_leg: str
    agent: str
    number: str
    recording: str


class Parked(LogEvent, frozen=True):
    slot: int
    until: float


class Unparked(LogEvent, frozen=True):
    """Fetched, or there for too long."""


class ModeChanged(LogEvent, frozen=True):
    """A supervisor listens, whispers, or is heard by all."""

    of_leg: str
    mode: str
    by: str = ""


class RecordingPaused(LogEvent, frozen=True):
    """Silence of equal length is recorded."""

    until: float
    by: str = ""


class RecordingResumed(LogEvent, frozen=True):
    """`by` "": the time was over."""

    by: str = ""


class Tagged(LogEvent, frozen=True):
    tags: list[str]
    by: str = ""


class Disposed(LogEvent, frozen=True):
    """What came of the contact, in the agent's words."""

    code: str
    note: str = ""
    by: str = ""
