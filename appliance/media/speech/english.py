"""Values in English as names of recordings: which words, in which order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from appliance.media.speech.figures import DIGIT, currency, decimal
from appliance.media.speech.values import Amount, Clock, Day

_UP_TO_19 = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
             "sixteen seventeen eighteen nineteen").split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
             "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth").split()
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_UNITS = [name for _, name in _SCALES] + ["hundred"]
_MONTHS = ("January February March April May June July August September October November December").split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

_WORDS = {
    **{f"number/{number}": text for number, text in enumerate(_UP_TO_19)},
    **{f"number/{10 * tens}": text for tens, text in enumerate(_TENS, 2)},
    **{f"number/{unit}": unit for unit in _UNITS},
    "number/and": "and", "number/point": "point", "number/minus": "minus",
    **{f"ordinal/{number}": text for number, text in enumerate(_ORDINALS, 1)},
    **{f"ordinal/{10 * tens}": text.removesuffix("y") + "ieth" for tens, text in enumerate(_TENS, 2)},
    **{f"ordinal/{unit}": f"{unit}th" for unit in _UNITS},
    "digit/oh": "oh", "digit/star": "star", "digit/hash": "hash", "digit/plus": "plus",
    **{f"month/{number}": text for number, text in enumerate(_MONTHS, 1)},
    **{f"weekday/{number}": text for number, text in enumerate(_WEEKDAYS, 1)},
    "time/oclock": "o'clock", "time/am": "a.m.", "time/pm": "p.m.", "time/hours": "hours",
    "time/noon": "twelve noon", "time/midnight": "midnight", "time/morning": "in the morning",
    "time/afternoon": "in the afternoon", "time/evening": "in the evening", "time/night": "at night",
    **{f"duration/{unit}": unit for unit in ("day", "days", "hour", "hours", "minute", "minutes", "second",
                                             "seconds")},
    "position": "you are number", "position-end": "in line",
    "wait": "you will wait no more than",
}
_CURRENCY: dict[str, tuple[str, ...]] = {         # one, many; of hundredths, where people say them
    "AED": ("dirham", "dirhams", "fils", "fils"),
    "ARS": ("Argentine peso", "Argentine pesos", "centavo", "centavos"),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "BRL": ("real", "reais", "centavo", "centavos"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "CNY": ("yuan", "yuan"),
    "EGP": ("Egyptian pound", "Egyptian pounds", "piastre", "piastres"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "IDR": ("rupiah", "rupiah"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "JPY": ("yen", "yen"),
    "KRW": ("won", "won"),
    "MOP": ("pataca", "patacas", "avo", "avos"),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "MYR": ("ringgit", "ringgit", "sen", "sen"),
    "NZD": ("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    "RUB": ("rouble", "roubles", "kopeck", "kopecks"),
    "SAR": ("riyal", "riyals", "halala", "halalas"),
    "SGD": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
    "THB": ("baht", "baht", "satang", "satang"),
    "TRY": ("lira", "lira", "kurush", "kurush"),
    "TWD": ("New Taiwan dollar", "New Taiwan dollars"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "ZAR": ("rand", "rand", "cent", "cents")}
_CURRENCY_NAMES = ("", "-many", "-minor", "-minor-many")



class English:
    """The grammar. `choices` are those of appliance.media.speech.CHOICES that hold."""

    def vocabulary(self, currencies: Sequence[str]) -> Mapping[str, str]:
        return _WORDS | {currency(code) + ending: text for code in currencies
                         for ending, text in zip(_CURRENCY_NAMES, _CURRENCY[code], strict=False)}

    def number(self, value: Decimal, choices: frozenset[str]) -> list[str]:
        """one hundred five; one hundred and five with "and"."""
        return decimal(value, lambda units: _cardinal(units, "and" in choices))

    def digits(self, group: str, choices: frozenset[str]) -> list[str]:
        """0 is zero; oh with "oh"."""
        zero = "digit/oh" if "oh" in choices else "number/0"
        return [zero if digit == "0" else DIGIT[digit] for digit in group]

    def ordinal(self, value: int, choices: frozenset[str]) -> list[str]:
        return _ordinal(value, "and" in choices)

    def position(self, place: int, choices: frozenset[str]) -> list[str]:
        return ["position", *_cardinal(place, "and" in choices), "position-end"]

    def wait(self, seconds: int, choices: frozenset[str]) -> list[str]:
        return ["wait", *self.duration(seconds, choices)]

    def date(self, day: Day, choices: frozenset[str]) -> list[str]:
        """November twenty-second, twenty twenty-six; Sunday before it with "weekday"."""
        weekday = [f"weekday/{day.weekday}"] if "weekday" in choices and day.weekday else []
        year = _year(day.year, "and" in choices) if day.year else []
        return [*weekday, f"month/{day.month}", *_ordinal(day.day, False), *year]

    def time(self, clock: Clock, choices: frozenset[str]) -> list[str]:
        """two oh five p.m., two o'clock in the afternoon; fourteen oh five with "24h"."""
        if "24h" in choices:
            hour = _small(clock.hour) if clock.hour >= 10 else [_oh(clock.hour), DIGIT[str(clock.hour)]]
            return [*hour, *(_minute(clock.minute) if clock.minute else ["number/hundred", "time/hours"])]
        hour = _small(clock.hour % 12 or 12)
        if clock.minute:
            return [*hour, *_minute(clock.minute), "time/am" if clock.hour < 12 else "time/pm"]
        if clock.hour % 12 == 0:
            return ["time/noon" if clock.hour else "time/midnight"]
        ends = ((12, "morning"), (18, "afternoon"), (21, "evening"), (24, "night"))
        return [*hour, "time/oclock", "time/" + next(name for end, name in ends if clock.hour < end)]

    def amount(self, amount: Amount, choices: frozenset[str]) -> list[str]:
        """twelve dollars and fifty cents; twelve point five yuan."""
        name, value, with_and = currency(amount.currency), abs(amount.value), "and" in choices
        sign = ["number/minus"] if amount.value < 0 else []
        if value != int(value) and len(_CURRENCY[amount.currency]) == 2:
            figure = decimal(value.normalize(), lambda units: _cardinal(units, with_and))
            return [*sign, *figure, f"{name}-many"]
        units, parts = divmod(int(value * 100), 100)
        said: list[str] = []
        if units or not parts:
            said = [*_cardinal(units, with_and), name if units == 1 else f"{name}-many"]
        if parts:
            said += [*(["number/and"] if said else []), *_small(parts),
                     f"{name}-minor" if parts == 1 else f"{name}-minor-many"]
        return [*sign, *said]

    def duration(self, seconds: int, choices: frozenset[str]) -> list[str]:
        """one minute thirty-five seconds."""
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        said: list[str] = []
        for value, name in ((days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")):
            if value:
                said += [*_small(value), f"duration/{name}" if value == 1 else f"duration/{name}s"]
        return said or ["number/0", "duration/seconds"]


def _cardinal(value: int, with_and: bool) -> list[str]:
    """`with_and`: before what follows the hundreds, and the last thousands: one thousand and five."""
    if value < 100:
        return _small(value)
    said: list[str] = []
    for scale, name in (*_SCALES, (100, "hundred")):
        if value >= scale:
            before, value = divmod(value, scale)
            said += [*_cardinal(before, with_and), f"number/{name}"]
    if value:
        said += [*(["number/and"] if with_and else []), *_small(value)]
    return said


def _small(value: int) -> list[str]:
    """Below 100."""
    if value < 20:
        return [f"number/{value}"]
    tens, ones = divmod(value, 10)
    return [f"number/{10 * tens}", *([f"number/{ones}"] if ones else [])]


def _ordinal(value: int, with_and: bool) -> list[str]:
    *before, last = _cardinal(value, with_and)
    return [*before, last.replace("number/", "ordinal/")]


def _year(year: int, with_and: bool) -> list[str]:
    """twenty twenty-six, nineteen oh five, nineteen hundred; two thousand five."""
    century, years = divmod(year, 100)
    if year < 1000 or (century % 10 == 0 and years < 10):
        return _cardinal(year, with_and)
    if not years:
        return [*_small(century), "number/hundred"]
    return [*_small(century), *_minute(years)]


def _minute(value: int) -> list[str]:
    """Two digits: oh five, fifteen."""
    return ["digit/oh", f"number/{value}"] if value < 10 else _small(value)


def _oh(hour: int) -> str:
    """What comes before a single digit of hours: oh nine, but zero zero."""
    return "digit/oh" if hour else "number/0"
