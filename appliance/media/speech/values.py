"""What is to be said, read from its text. One clear error for a text that is none."""

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal

from appliance.errors import BranchlineError

MOST = 10**15                                     # numbers are below it
DECIMALS = 6
DIGITS_MOST = 64
DURATION_MOST_S = 100 * 86400

CURRENCIES = {                                    # ISO 4217: code -> decimals
    "AED": 2, "ARS": 2, "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CNY": 2, "EGP": 2, "EUR": 2, "GBP": 2,
    "HKD": 2, "IDR": 2, "INR": 2, "JPY": 0, "KRW": 0, "MOP": 2, "MXN": 2, "MYR": 2, "NZD": 2, "RUB": 2,
    "SAR": 2, "SGD": 2, "THB": 2, "TRY": 2, "TWD": 2, "USD": 2, "ZAR": 2}

_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?")
_DIGITS = re.compile(r"[0-9*#+]+([ -][0-9*#+]+)*")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DAY = re.compile(r"(\d{2})-(\d{2})")
_TIME = re.compile(r"(\d{2}):(\d{2})")
_LEAP_YEAR = 2000                                 # has every day that a year can have


class SpeechError(BranchlineError):
    """Names the fragment, what is wrong with it and what to write."""


@dataclass(frozen=True, slots=True)
class Day:
    """A date; one without a year has no weekday."""

    year: int | None
    month: int
    day: int

    @property
    def weekday(self) -> int | None:
        """1 Monday to 7 Sunday."""
        return datetime.date(self.year, self.month, self.day).isoweekday() if self.year else None


@dataclass(frozen=True, slots=True)
class Clock:
    hour: int
    minute: int


@dataclass(frozen=True, slots=True)
class Amount:
    """`value` has no more decimals than `currency`."""

    value: Decimal
    currency: str


def number(text: str) -> Decimal:
    """SpeechError: not a decimal number, or too large or too fine."""
    if not _NUMBER.fullmatch(text):
        raise SpeechError(f"{text!r} is no number: write e.g. 1234, -5 or 12.5")
    value = Decimal(text)
    if abs(value) >= MOST:
        raise SpeechError(f"{text} is too large to be said: numbers are below {MOST}")
    if len(text.partition(".")[2]) > DECIMALS:
        raise SpeechError(f"{text} has more than {DECIMALS} decimals: round it")
    return value


def whole(text: str, least: int = 1) -> int:
    """SpeechError: not a whole number of at least `least`."""
    value = number(text)
    if value != value.to_integral_value() or "." in text or value < least:
        raise SpeechError(f"{text} cannot be said so: write a whole number of at least {least}")
    return int(value)


def digits(text: str) -> list[str]:
    """Groups of digits, between which is a pause. SpeechError: something else than digits."""
    if not _DIGITS.fullmatch(text) or len(text) > DIGITS_MOST:
        raise SpeechError(f"{text!r} are no digits: write at most {DIGITS_MOST} of 0-9 * # + and one space "
                          "or - where a pause belongs")
    return re.split(r"[ -]", text)


def day(text: str) -> Day:
    """SpeechError: no such day."""
    full, short = _DATE.fullmatch(text), _DAY.fullmatch(text)
    try:
        if full is not None:
            date = datetime.date(int(full[1]), int(full[2]), int(full[3]))
            return Day(date.year, date.month, date.day)
        if short is not None:
            date = datetime.date(_LEAP_YEAR, int(short[1]), int(short[2]))
            return Day(None, date.month, date.day)
    except ValueError:
        raise SpeechError(f"{text}: there is no such day") from None
    raise SpeechError(f"{text!r} is no date: write YYYY-MM-DD, or MM-DD")


def clock(text: str) -> Clock:
    """SpeechError: no time of day."""
    read = _TIME.fullmatch(text)
    if read is None or int(read[1]) > 23 or int(read[2]) > 59:
        raise SpeechError(f"{text!r} is no time of day: write HH:MM, 00:00 to 23:59")
    return Clock(int(read[1]), int(read[2]))


def amount(text: str, currency: str) -> Amount:
    """`currency` is that of an amount without one. SpeechError: no amount."""
    figure, _, code = text.partition(" ")
    code = code or currency
    if code not in CURRENCIES:
        raise SpeechError(f"{text!r}: no currency {code!r} is known, there are {', '.join(CURRENCIES)}")
    value, decimals = number(figure), CURRENCIES[code]
    if value != round(value, decimals):
        raise SpeechError(f"{text!r}: {code} has {decimals} decimals: round it")
    return Amount(round(value, decimals), code)


def duration(text: str) -> int:
    """Whole seconds. SpeechError: none, or too many."""
    seconds = whole(text, least=0)
    if seconds >= DURATION_MOST_S:
        raise SpeechError(f"{text} s is too long to be said: durations are below {DURATION_MOST_S} s")
    return seconds
