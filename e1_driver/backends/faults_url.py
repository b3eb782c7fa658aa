"""Which faults of a line a URL can ask for: what is allowed, and what it says."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class _Number(NamedTuple):
    default: str
    low: float
    high: float
    unit: str
    whole: bool = False


_NUMBERS = {
    "ber": _Number("0", 1e-12, 0.5, "share of bits"),
    "bursts": _Number("0", 0, 1000, "bursts of errors per second"),
    "burst_bits": _Number("100", 2, 100_000, "bits", True),
    "slips": _Number("0", 0, 1000, "slips per second"),
    "d_loss": _Number("0", 0, 1, "share of D-channel frames"),
    "delay_ms": _Number("0", 0, 10_000, "milliseconds", True),
    "ppm": _Number("0", -1000, 1000, "parts per million"),
    "seed": _Number("0", 0, 2**63, "seed", True),
}
_SWITCHES = ("d_cut", "los", "lof", "ais", "rai")
OPTIONS: Mapping[str, str] = {name: number.default for name, number in _NUMBERS.items()} | dict.fromkeys(
    _SWITCHES, "off")


def asked_faults(url: str, options: Mapping[str, str]) -> dict[str, float]:
    """By the names of Faults, switches as bool. ValueError: the option, and what is allowed."""
    asked = {name: _number(url, name, options[name]) for name in _NUMBERS}
    for name in _SWITCHES:
        check_choice(url, name, options[name], ("on", "off"))
        asked[name] = options[name] == "on"
    return asked


def check_choice(url: str, name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{url}: {name}={value}: write one of {', '.join(allowed)}")


def _number(url: str, name: str, text: str) -> float:
    number = _NUMBERS[name]
    try:
        value = int(text) if number.whole else float(text)
    except ValueError:
        value = float("nan")
    if value == 0 == float(number.default) or number.low <= value <= number.high:
        return value
    kind = "a whole number" if number.whole else "a number"
    raise ValueError(f"{url}: {name}={text}: write {kind}, {number.low:g} to {number.high:g} ({number.unit})")
