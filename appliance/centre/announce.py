"""A caller's place in line in words.

A language needs the prompts position and position-end, and in zh number/1 to number/10, in en number/1 to
number/20 and the tens to number/90.
"""

from collections.abc import Callable

MOST = 99                                         # beyond it nothing is said


def position(language: str, place: int) -> list[str]:
    """Fragments that say "you are number `place` in line"; [] when it cannot be said."""
    if not 1 <= place <= MOST:
        return []
    names = ["position", *(f"number/{part}" for part in NUMBER[language](place)), "position-end"]
    return [f"prompt:{language}/{name}" for name in names]


def _number_zh(number: int) -> list[int]:
    """三, 十三, 三十, 三十三: the ten is a word of its own."""
    tens, ones = divmod(number, 10)
    return [*([tens] if tens > 1 else []), *([10] if tens else []), *([ones] if ones else [])]


def _number_en(number: int) -> list[int]:
    """three, thirteen, thirty, thirty three."""
    if number < 20:
        return [number]
    tens, ones = divmod(number, 10)
    return [tens * 10, *([ones] if ones else [])]


NUMBER: dict[str, Callable[[int], list[int]]] = {"zh": _number_zh, "en": _number_en}
