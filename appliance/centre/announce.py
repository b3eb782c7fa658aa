"""A caller's place in line in words."""

from appliance.media import speech

MOST = 99                                         # beyond it nothing is said


def position(language: str, place: int) -> list[str]:
    """Fragments that say "you are number `place` in line"; [] when it cannot be said."""
    return speech.speak(f"position/{language}:{place}", language) if 1 <= place <= MOST else []
