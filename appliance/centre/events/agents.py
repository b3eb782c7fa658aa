"""Of agents. `by`: a user, "telephone", "" for the box itself or its command line."""

from appliance.centre.events.base import LogEvent


class AgentJoined(LogEvent, frozen=True):
    """Configured, or configured anew. `state`: a new one's first."""

    agent: str
    extension: str
    trunk: str
    state: str = "ready"


class AgentLeft(LogEvent, frozen=True):
    agent: str


class AgentPlaced(LogEvent, frozen=True):
    """At this telephone from now on."""

    agent: str
    extension: str
    trunk: str
    by: str = ""


class AgentChanged(LogEvent, frozen=True):
    """The one event that moves an agent's state."""

    agent: str
    state: str
    idle_since: float
    until: float = 0.0
    reason: str = ""
    leg: str = ""                                 # what occupies the telephone from now on
    limit_at: float = 0.0
    by: str = ""


class AgentWished(LogEvent, frozen=True):
    """What is to come after the work: not-ready, logged-out, "" ready."""

    agent: str
    state: str
    reason: str = ""
    by: str = ""


class WrapUpExtended(LogEvent, frozen=True):
    agent: str
    until: float
    by: str = ""


class AgentOverran(LogEvent, frozen=True):
    """Not ready for longer than its reason allows."""

    agent: str


class AgentLegGone(LogEvent, frozen=True):
    """The telephone is on the hook again."""

    agent: str


class AgentAssigned(LogEvent, frozen=True):
    """Serves others than the configuration says: state.Assignment."""

    agent: str
    skills: dict[str, int] | None
    also: tuple[str, ...]
    without: tuple[str, ...]
    until: float
    until_log_out: bool
    by: str = ""


class AgentUnassigned(LogEvent, frozen=True):
    """As configured again."""

    agent: str
    by: str = ""
