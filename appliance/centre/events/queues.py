"""Of queues, and of the talk that comes of them."""

from appliance.centre.events.base import LogEvent


class Joined(LogEvent, frozen=True):
    queue: str
    overflow_at: float                            # 0: waits for ever
    line: int = 0                                 # the place of before, for one who comes back; 0: the last
    joined_at: float = 0.0                        # likewise since when; 0: now
    estimate_s: float | None = None               # how long it will wait


class NotAdmitted(LogEvent, frozen=True):
    """The queue takes nobody now: the contact does not join it. `to`: as of QueueLeft."""

    queue: str
    why: str                                      # length, estimate, no agents
    to: str = ""


class QueueLeft(LogEvent, frozen=True):
    """Neither for a talk nor by hanging up. `to`: another queue, "" where the flow goes on."""

    why: str                                      # time, length, estimate, no agents, max wait
    to: str


class PriorityChanged(LogEvent, frozen=True):
    """In line, by somebody's hand."""

    priority: int
    by: str = ""


class Announced(LogEvent, frozen=True):
    """The caller's place was told; next time at `next_at`, 0: never."""

    position: int
    next_at: float


class Offered(LogEvent, frozen=True):
    """The agent's telephone is being rung by `leg`."""

    agent: str
    leg: str
    why: str = ""                                 # this agent, in words
    beside: bool = False                          # others ring for the same contact


class RingEnded(LogEvent, frozen=True):
    """No talk came of it; the contact is in line as before."""

    agent: str
    cause: int
    reason: str


class RungBeside(LogEvent, frozen=True):
    """One of those who ring beside is the one who rings: it has answered, or the other cannot be rung."""

    of_leg: str
    agent: str


class Talked(LogEvent, frozen=True):
    """Customer and agent hear each other; recording "": not recorded."""

    recording: str
