"""Of calls that go out."""

from appliance.centre.events.base import LogEvent


class Dialled(LogEvent, frozen=True):
    leg: str
    trunk: str
    number: str                                   # that goes out
    record: bool


class Bridged(LogEvent, frozen=True):
    """Before the answer: the extension hears what the far end says in-band."""


class Alerted(LogEvent, frozen=True):
    """The extension was told that the far end rings."""


class AgentTook(LogEvent, frozen=True):
    """The contact is this agent's own outbound call."""

    agent: str
