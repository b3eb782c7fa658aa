"""How a sentence says what an agent does."""

_AFTER_IS = {"held": "holding a call", "logged-out": "logged out", "not-ready": "not ready",
             "wrap-up": "in wrap-up"}


def doing(state: str) -> str:
    """After the word is."""
    return _AFTER_IS.get(state, state)
