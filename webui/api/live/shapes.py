"""What is said on the live stream, as msgspec shapes: the AsyncAPI document is made from them.

As everywhere in v1 fields may be added, none goes or changes its meaning. Times are Unix seconds.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from appliance.bus.messages import AgentInfo, ContactInfo, QueueInfo
from webui.api.shapes import AlertInfo, LineView, Strict

Topic = Literal["board", "contacts", "lines", "notices", "alerts"]
SCOPES: dict[str, str] = {                        # that a token needs to hear of it
    "board": "watch", "contacts": "watch", "lines": "line", "notices": "notify", "alerts": "watch"}


class ShowToken(Strict, frozen=True, kw_only=True):
    """What a program says first, and once, that opened its WebSocket without a token."""

    token: Annotated[str, Meta(min_length=1, max_length=200)]


class Subscribe(Strict, frozen=True, kw_only=True):
    """What a program says, as often as it likes: it hears of these, too."""

    subscribe: Annotated[list[Topic], Meta(min_length=1, max_length=8)]


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    by: str
    text: str
    urgency: str                                  # normal, important, urgent
    colour: str
    since: float
    until: float


class Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="topic"):
    """`kind` snapshot: all there is; change: what is new or other, and the names of what is gone. `seq` goes
    up by one with each change of a topic, from that of its snapshot on."""

    kind: Literal["snapshot", "change"]
    seq: int
    at: float


class BoardTold(Told, frozen=True, kw_only=True, tag="board"):
    queues: list[QueueInfo]
    agents: list[AgentInfo]
    gone_queues: list[str]
    gone_agents: list[str]


class ContactsTold(Told, frozen=True, kw_only=True, tag="contacts"):
    """Those that go on."""

    contacts: list[ContactInfo]
    gone: list[str]


class LinesTold(Told, frozen=True, kw_only=True, tag="lines"):
    lines: list[LineView]
    gone: list[str]


class NoticesTold(Told, frozen=True, kw_only=True, tag="notices"):
    """Those that are valid: all of them for a token without limits of range, else those for everybody."""

    notices: list[NoticeView]
    gone: list[int]


class AlertsTold(Told, frozen=True, kw_only=True, tag="alerts"):
    """Those that are raised by rules within the token's range."""

    alerts: list[AlertInfo]
    gone: list[int]


TOLD: tuple[type[Told], ...] = (BoardTold, ContactsTold, LinesTold, NoticesTold, AlertsTold)
