"""Of queues, and of the talk that comes of them."""

from appliance.centre.events.base import LogEvent


class Joined(LogEvent, frozen=True):
    queue: str
    overflow_at: float                            # 0: waits for ever


class Announced(LogEvent, frozen=True):
    """The caller's place was told; next time at `next_at`, 0: never."""

    position: int
    next_at: float


class Offered(LogEvent, frozen=True):
    """The agent's telephone is being rung by `leg`."""

    agent: str
    leg: str


class RingEnded(LogEvent, frozen=True):
    """No talk came of it; the contact is in line as before."""

    agent: str
    cause: int
    reason: str


class Talked(LogEvent, frozen=True):
    """Customer and agent hear each other; recording "": not recorded."""

    recording: str
