"""Of callbacks, voice messages and surveys. `by`: a user, "" for the customer, the box, its command line."""

import msgspec

from appliance.centre.events.base import LogEvent


class CallbackBooked(LogEvent, frozen=True):
    """A contact begins that has no leg yet: the box is to call this customer for the queue."""

    number: str                                   # canonical
    trunk: str
    digits: str                                   # to dial
    shows: str                                    # our number
    queue: str
    mode: str
    keep_until: float
    due_at: float = 0.0
    firm: bool = False
    line: int = 0                                 # the customer's place; 0: the last when it is due
    joined_at: float = 0.0
    tries: int = 0
    record: bool = False                          # the talk
    language: str = "zh"
    priority: int | None = None
    grade: str = ""
    region: str = ""
    skills: dict[str, int] = msgspec.field(default_factory=dict)
    origin: str = ""
    by: str = ""
    note: str = ""
    caller: str = ""                              # who asked for it in a call, canonical; "": not known


class CallbackPromised(LogEvent, frozen=True):
    """To the caller of this contact: the other one."""

    callback: str


class CallbackHeld(LogEvent, frozen=True):
    """Out of the line, its place is kept. `why`: hours, on the line."""

    why: str
    due_at: float                                 # 0: as soon as that is over


class CallbackMoved(LogEvent, frozen=True):
    """To a time agreed with the customer."""

    due_at: float
    keep_until: float
    by: str = ""


class CallbackTaken(LogEvent, frozen=True):
    """An agent wants to call this customer back at once."""

    agent: str


class CallbackTried(LogEvent, frozen=True):
    """The customer is dialled, for at most so long; the leg is in the Dialled that follows."""

    until: float


class CallbackClaimed(LogEvent, frozen=True):
    """The agent is kept for the customer, who is being dialled."""

    agent: str


class CallbackReached(LogEvent, frozen=True):
    """The customer has answered before an agent is rung, and hears the place in line from then on."""

    place_at: float


class CallbackMissed(LogEvent, frozen=True):
    """The try is over without a talk. counted: against the number of tries."""

    outcome: str                                  # no answer, busy, refused, machine, hung up, failed, ...
    cause: int                                    # Q.850
    due_at: float
    counted: bool


class CallbackClosed(LogEvent, frozen=True):
    """Nobody is to be called any more. `contact`: another one, in which they talked."""

    outcome: str                                  # cancelled, called in, wrong number, given up, machine
    by: str = ""
    contact: str = ""


class MessageKept(LogEvent, frozen=True):
    """The recording that begins is a message for the box."""

    message: str
    box: str


class MessageEnded(LogEvent, frozen=True):
    """kept False: too short to be one."""

    message: str
    box: str
    length_s: float
    kept: bool = True


class MessageHeard(LogEvent, frozen=True):
    message: str
    by: str


class MessageDone(LogEvent, frozen=True):
    message: str
    by: str = ""


class SurveyBegun(LogEvent, frozen=True):
    survey: str
    agent: str
    queue: str


class SurveyAsked(LogEvent, frozen=True):
    """The question of this place is being put, for the how manieth time again."""

    question: int
    name: str
    tries: int = 0


class SurveyAnswered(LogEvent, frozen=True):
    """agent, queue: those of SurveyBegun, so that this stands for itself."""

    survey: str
    question: str
    answer: int
    agent: str
    queue: str


class SurveyOver(LogEvent, frozen=True):
    """`why`: complete, declined, no answer, hung up."""

    survey: str
    why: str
    agent: str
    queue: str
