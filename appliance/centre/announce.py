"""What a caller in line is told, in words."""

from appliance.media import speech

MOST = 99                                         # beyond it nothing is said
MOST_WAIT_S = 3600.0
MINUTE_S = 60


def position(language: str, place: int) -> list[str]:
    """Fragments that say "you are number `place` in line"; [] when it cannot be said."""
    return speech.speak(f"position/{language}:{place}", language) if 1 <= place <= MOST else []


def wait(language: str, estimate_s: float | None) -> list[str]:
    """How long it will take, in minutes begun; [] when nobody knows, or would like to hear it."""
    if estimate_s is None or estimate_s > MOST_WAIT_S:
        return []
    minutes = max(1, -int(-estimate_s // MINUTE_S))
    return speech.speak(f"wait/{language}:{minutes * MINUTE_S}", language)


def prompt(language: str, name: str) -> list[str]:
    return [f"prompt:{language}/{name}"] if name else []
