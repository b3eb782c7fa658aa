"""The box's measures as text: asked of boxd."""

from typing import ClassVar

from appliance.bus.messages.base import Reply, Request


class Exposition(Reply, frozen=True):
    """In the text-based format of Prometheus, 0.0.4."""

    text: str


class GetExposition(Request[Exposition], frozen=True):
    owner: ClassVar[str] = "boxd"
