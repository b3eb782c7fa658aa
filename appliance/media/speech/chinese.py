"""Values in Chinese (Putonghua) as names of recordings: which words, in which order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from appliance.media.speech.figures import DIGIT, currency, decimal
from appliance.media.speech.values import Amount, Clock, Day

_TEN, _HUNDRED, _THOUSAND, _MYRIAD, _HUNDRED_MILLION = 10, 100, 1000, 10**4, 10**8
_YUAN = "CNY"                                     # the one whose jiao and fen are said

_WORDS = {
    **{f"number/{number}": text for number, text in enumerate("零一二三四五六七八九十")},
    "number/100": "百", "number/1000": "千", "number/10000": "万", "number/100000000": "亿",
    "number/liang": "两", "number/yao": "幺", "number/point": "点", "number/minus": "负",
    "number/ordinal": "第",
    "digit/star": "星号", "digit/hash": "井号", "digit/plus": "加",
    **{f"month/{month}": f"{text}月" for month, text in enumerate(
        ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"), 1)},
    "date/year": "年", "date/day": "日",
    **{f"weekday/{number}": f"星期{text}" for number, text in enumerate("一二三四五六日", 1)},
    "time/before-dawn": "凌晨", "time/early": "早上", "time/morning": "上午", "time/noon": "中午",
    "time/afternoon": "下午", "time/evening": "晚上",
    "time/hour": "点", "time/sharp": "整", "time/minute": "分",
    "duration/day": "天", "duration/hour": "小时", "duration/minute": "分", "duration/minutes": "分钟",
    "duration/second": "秒",
    "position": "您是第", "position-end": "位",
    "wait": "预计等待时间不超过",
}
_CURRENCY = {
    "AED": "阿联酋迪拉姆", "ARS": "阿根廷比索", "AUD": "澳元", "BRL": "巴西雷亚尔", "CAD": "加元",
    "CHF": "瑞士法郎", "CNY": "元", "EGP": "埃及镑", "EUR": "欧元", "GBP": "英镑", "HKD": "港元",
    "IDR": "印尼盾", "INR": "印度卢比", "JPY": "日元", "KRW": "韩元", "MOP": "澳门元", "MXN": "墨西哥比索",
    "MYR": "马来西亚林吉特", "NZD": "新西兰元", "RUB": "卢布", "SAR": "沙特里亚尔", "SGD": "新加坡元",
    "THB": "泰铢", "TRY": "土耳其里拉", "TWD": "新台币", "USD": "美元", "ZAR": "南非兰特"}

_PERIODS = (                                      # the hour before which it is so
    (6, "before-dawn"), (9, "early"), (12, "morning"), (13, "noon"), (18, "afternoon"), (24, "evening"))


class Chinese:
    """The grammar. `choices` are those of appliance.media.speech.CHOICES that hold."""

    def vocabulary(self, currencies: Sequence[str]) -> Mapping[str, str]:
        money = {currency(code): _CURRENCY[code] for code in currencies}
        return _WORDS | money | ({"currency/jiao": "角", "currency/fen": "分"} if _YUAN in currencies else {})

    def number(self, value: Decimal, choices: frozenset[str]) -> list[str]:
        """一百零五; with "counted" it goes before a measure word: 两."""
        return decimal(value, _counted if "counted" in choices else _cardinal)

    def digits(self, group: str, choices: frozenset[str]) -> list[str]:
        """1 is 幺, as in telephone numbers; 一 with "yi"."""
        one = "number/1" if "yi" in choices else "number/yao"
        return [one if digit == "1" else DIGIT[digit] for digit in group]

    def ordinal(self, value: int, choices: frozenset[str]) -> list[str]:
        return ["number/ordinal", *_names(_written(value))]

    def position(self, place: int, choices: frozenset[str]) -> list[str]:
        return ["position", *_names(_written(place)), "position-end"]

    def wait(self, seconds: int, choices: frozenset[str]) -> list[str]:
        return ["wait", *self.duration(seconds, choices)]

    def date(self, day: Day, choices: frozenset[str]) -> list[str]:
        """二零二六年 十一月 二十二日, 星期日 with "weekday"."""
        year = [*(DIGIT[digit] for digit in str(day.year)), "date/year"] if day.year else []
        weekday = [f"weekday/{day.weekday}"] if "weekday" in choices and day.weekday else []
        return [*year, f"month/{day.month}", *_names(_written(day.day)), "date/day", *weekday]

    def time(self, clock: Clock, choices: frozenset[str]) -> list[str]:
        """下午两点零五分; 十四点零五分 with "24h"."""
        if "24h" in choices:
            period, hour = [], clock.hour
        else:
            period = ["time/" + next(name for end, name in _PERIODS if clock.hour < end)]
            hour = clock.hour if clock.hour <= 12 else clock.hour - 12
        minute = [*_two_digits(clock.minute), "time/minute"] if clock.minute else ["time/sharp"]
        return [*period, *_counted(hour), "time/hour", *minute]

    def amount(self, amount: Amount, choices: frozenset[str]) -> list[str]:
        """十二元五角, 十二元零五分; of other currencies 十二点五美元."""
        if amount.currency != _YUAN:
            return [*decimal(amount.value.normalize(), _counted), currency(amount.currency)]
        fen = int(abs(amount.value) * 100)
        yuan, jiao, fen = fen // 100, fen // 10 % 10, fen % 10
        said = ["number/minus"] if amount.value < 0 else []
        if yuan or not (jiao or fen):
            said += [*_counted(yuan), currency(_YUAN)]
        if jiao:
            said += [*(_names([jiao]) if yuan else _counted(jiao)), "currency/jiao"]
        if fen:
            said += ["number/0"] if yuan and not jiao else []
            said += [*(_names([fen]) if yuan or jiao else _counted(fen)), "currency/fen"]
        return said

    def duration(self, seconds: int, choices: frozenset[str]) -> list[str]:
        """一分三十五秒, 两小时零五分钟."""
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = ((days, "day"), (hours, "hour"), (minutes, "minute" if seconds else "minutes"),
                 (seconds, "second"))
        said: list[str] = []
        last = -1                                 # which unit was said last
        for unit, (value, name) in enumerate(parts):
            if value:
                # 零 where a unit is left out, and before a single digit of minutes and seconds
                zero = said and (unit > last + 1 or (value < 10 and unit > 1))
                said += [*(["number/0", *_names(_written(value))] if zero else _counted(value)),
                         f"duration/{name}"]
                last = unit
        return said or ["number/0", "duration/second"]


def _counted(value: int) -> list[str]:
    """Before a measure word 2 is 两."""
    return ["number/liang"] if value == 2 else _cardinal(value)


def _cardinal(value: int) -> list[str]:
    """A 2 that leads 百, 千, 万 or 亿 is 两: 两千二百; not one before 十."""
    written = _written(value)
    names = _names(written)
    if written[0] == 2 and len(written) > 1 and written[1] >= _HUNDRED:
        names[0] = "number/liang"
    return names


def _two_digits(value: int) -> list[str]:
    """零五, 十五."""
    return [*(["number/0"] if value < 10 else []), *_names(_written(value))]


def _names(written: Sequence[int]) -> list[str]:
    return [f"number/{one}" for one in written]


def _written(value: int) -> list[int]:
    """The characters of a number of at least 0 as the numbers that they mean: 105 is 1, 100, 0, 5."""
    if not value:
        return [0]
    written = _inner(value)
    return written[1:] if written[:2] == [1, _TEN] else written      # 十五; but 一百一十五


def _inner(value: int) -> list[int]:
    """As within a longer number, where 10 is 一十. `value` is at least 1."""
    for unit in (_HUNDRED_MILLION, _MYRIAD, _THOUSAND, _HUNDRED, _TEN):
        if value >= unit:
            before, after = divmod(value, unit)
            zero = [0] if 0 < after < unit // 10 else []             # one 零 for however many empty places
            return [*_inner(before), unit, *zero, *(_inner(after) if after else [])]
    return [value]
