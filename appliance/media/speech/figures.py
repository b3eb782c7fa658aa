"""What languages say alike: digits one by one, a sign and decimals; names of currencies' recordings."""

from collections.abc import Callable
from decimal import Decimal

DIGIT = {**{str(number): f"number/{number}" for number in range(10)},
         "*": "digit/star", "#": "digit/hash", "+": "digit/plus"}


def currency(code: str) -> str:
    return f"currency/{code.lower()}"


def decimal(value: Decimal, cardinal: Callable[[int], list[str]]) -> list[str]:
    """`cardinal` says the whole units; the decimals follow digit by digit."""
    sign = ["number/minus"] if value < 0 else []
    units, _, decimals = f"{abs(value):f}".partition(".")
    point = ["number/point", *(DIGIT[digit] for digit in decimals)] if decimals else []
    return [*sign, *cardinal(int(units)), *point]
