"""What all events of the log are made from."""

import msgspec


class LogEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened or was decided."""
