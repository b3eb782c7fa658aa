"""Of flows, and of what is played."""

from appliance.centre.events.base import LogEvent


class NodeEntered(LogEvent, frozen=True):
    flow: str
    node: str
    language: str


class Played(LogEvent, frozen=True):
    play: str
    fragments: list[str]
    repeat: bool


class PlayOver(LogEvent, frozen=True):
    """By itself, or because it could not be played (`error`)."""

    error: str = ""


class DigitAwaited(LogEvent, frozen=True):
    until: float                                  # 0: not by time


class Pressed(LogEvent, frozen=True):
    digit: str


class Retried(LogEvent, frozen=True):
    """A menu begins once more."""
