"""Of agents."""

from appliance.centre.events.base import LogEvent


class AgentJoined(LogEvent, frozen=True):
    """Configured, or configured anew."""

    agent: str
    extension: str
    trunk: str


class AgentLeft(LogEvent, frozen=True):
    agent: str


class AgentChanged(LogEvent, frozen=True):
    """The one event that moves an agent's state."""

    agent: str
    state: str
    idle_since: float
    until: float = 0.0
    reason: str = ""
    leg: str = ""                                 # what occupies the telephone from now on


class AgentLegGone(LogEvent, frozen=True):
    """The telephone is on the hook again."""

    agent: str
