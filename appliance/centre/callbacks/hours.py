"""When customers may be called."""

from appliance.centre.turn import Turn

LATER_S = 3600.0                                  # looked again, where a calendar does not say when it opens


def opens(turn: Turn, at: float) -> float:
    """`at`, or the next moment after it that is within the calling hours as they are now."""
    calendar = turn.setup.callbacks.calendar
    if calendar is None or calendar not in turn.setup.entrance.calendars:
        return at
    opening = turn.setup.entrance.opening(calendar, at, turn.state.forced)
    if opening.open:
        return at
    return at + LATER_S if opening.until is None else opening.until
