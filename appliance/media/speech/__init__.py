"""Numbers, dates and the like, said with recordings: which, and in which order. No I/O.

A fragment is KIND/WORD/...:VALUE, e.g. time/en/24h:14:05. The words are a language and choices of wording, in
any order. A language is a class with Language's methods and a row of LANGUAGES; its vocabulary lists every
recording that it uses.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from appliance.media.speech import values
from appliance.media.speech.chinese import Chinese
from appliance.media.speech.english import English
from appliance.media.speech.values import CURRENCIES as CURRENCIES
from appliance.media.speech.values import Amount, Clock, Day
from appliance.media.speech.values import SpeechError as SpeechError

GROUP_PAUSE = "silence:250"                       # between groups of digits

CHOICES = {                                       # kind -> words that change how it is said
    "number": frozenset({"and", "counted"}),      # one hundred and five; 两 before a measure word
    "digits": frozenset({"oh", "yi"}),            # 0 is oh, not zero; 1 is 一, not 幺
    "ordinal": frozenset({"and"}),
    "position": frozenset({"and"}),
    "date": frozenset({"and", "weekday"}),        # two thousand and five
    "time": frozenset({"24h"}),
    "amount": frozenset({"and"}),
    "duration": frozenset[str](),
    "wait": frozenset[str](),                     # how long somebody in line will wait
}


class Language(Protocol):
    """Each method gives names of `vocabulary`; a choice that says nothing in a language is ignored."""

    def vocabulary(self, currencies: Sequence[str]) -> Mapping[str, str]:
        """Recording -> what to record, with the words for these currencies."""

    def number(self, value: Decimal, choices: frozenset[str]) -> list[str]: ...

    def digits(self, group: str, choices: frozenset[str]) -> list[str]: ...

    def ordinal(self, value: int, choices: frozenset[str]) -> list[str]: ...

    def position(self, place: int, choices: frozenset[str]) -> list[str]: ...

    def date(self, day: Day, choices: frozenset[str]) -> list[str]: ...

    def time(self, clock: Clock, choices: frozenset[str]) -> list[str]: ...

    def amount(self, amount: Amount, choices: frozenset[str]) -> list[str]: ...

    def duration(self, seconds: int, choices: frozenset[str]) -> list[str]: ...

    def wait(self, seconds: int, choices: frozenset[str]) -> list[str]: ...


LANGUAGES: dict[str, Language] = {"zh": Chinese(), "en": English()}


def is_spoken(fragment: str) -> bool:
    """The fragment is of a kind that speak() knows."""
    return fragment.partition(":")[0].partition("/")[0] in CHOICES


def in_language(fragment: str, language: str) -> str:
    """A spoken fragment that names no language, in this one."""
    head, _, value = fragment.partition(":")
    return fragment if LANGUAGES.keys() & set(head.split("/")) else f"{head}/{language}:{value}"


def speak(fragment: str, language: str, currency: str = "CNY", wording: Collection[str] = ()) -> list[str]:
    """Fragments of recordings and pauses that say it: "prompt:zh/number/8", "silence:250".

    `language`, `currency` and `wording` hold where the fragment says nothing. SpeechError: cannot be said.
    """
    head, _, value = fragment.partition(":")
    kind, *words = head.split("/")
    if kind not in CHOICES:
        raise SpeechError(f"{fragment!r}: nothing that can be said: write one of {', '.join(CHOICES)}")
    chosen = set(wording) & CHOICES[kind]
    for word in words:
        if word in LANGUAGES:
            language = word
        elif word in CHOICES[kind]:
            chosen.add(word)
        else:
            known = ", ".join([*LANGUAGES, *sorted(CHOICES[kind])])
            raise SpeechError(f"{fragment!r}: {kind} has no {word!r}, it has {known}")
    try:
        groups = _say(kind, value, LANGUAGES[language], currency, frozenset(chosen))
    except SpeechError as error:
        raise SpeechError(f"{fragment!r}: {error}") from None
    said = [f"prompt:{language}/{name}" for name in groups[0]]
    for group in groups[1:]:
        said += [GROUP_PAUSE, *(f"prompt:{language}/{name}" for name in group)]
    return said


def vocabulary(language: str, currencies: Sequence[str] = tuple(CURRENCIES)) -> dict[str, str]:
    """Every prompt that values in this language need: its name below the prompts folder -> what to record."""
    return {f"{language}/{name}": text for name, text in LANGUAGES[language].vocabulary(currencies).items()}


def _say(kind: str, text: str, language: Language, currency: str, choices: frozenset[str]) -> list[list[str]]:
    match kind:
        case "number":
            return [language.number(values.number(text), choices)]
        case "digits":
            return [language.digits(group, choices) for group in values.digits(text)]
        case "ordinal":
            return [language.ordinal(values.whole(text), choices)]
        case "position":
            return [language.position(values.whole(text), choices)]
        case "date":
            return [language.date(values.day(text), choices)]
        case "time":
            return [language.time(values.clock(text), choices)]
        case "amount":
            return [language.amount(values.amount(text, currency), choices)]
        case "wait":
            return [language.wait(values.duration(text), choices)]
        case _:
            return [language.duration(values.duration(text), choices)]
