"""What people ask acdd about agents. `by`: the user who asks; "": the command line.

Refused: with a sentence that says who, why not and what to do.
"""

from typing import ClassVar

from appliance.bus.messages.acdd import AgentInfo
from appliance.bus.messages.base import Reply, Request


class AgentReply(Reply, frozen=True):
    """As it is after the request."""

    agent: AgentInfo


class LogIn(Request[AgentReply], frozen=True):
    """At this extension of this trunk, "": the agent's own. `ready`: at once, else not ready."""

    owner: ClassVar[str] = "acdd"
    agent: str
    extension: str = ""
    trunk: str = ""
    ready: bool = False
    by: str = ""


class LogOut(Request[AgentReply], frozen=True):
    """Now, or when the talk is over."""

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class SetReady(Request[AgentReply], frozen=True):
    """Ends wrap-up early; while talking: not what was wished before, but ready afterwards."""

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class SetNotReady(Request[AgentReply], frozen=True):
    """Now, or when the talk is over. `reason`: one of centre.not_ready where there are any."""

    owner: ClassVar[str] = "acdd"
    agent: str
    reason: str = ""
    by: str = ""


class ExtendWrapUp(Request[AgentReply], frozen=True):
    owner: ClassVar[str] = "acdd"
    agent: str
    for_s: float
    by: str = ""
