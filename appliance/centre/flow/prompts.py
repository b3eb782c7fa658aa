"""What a flow plays: recordings by name, tones, and values that are said by the grammar of the language."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from appliance.centre.flow.expressions import ExpressionError, Value, fill, placeholders
from appliance.media import speech
from appliance.media.fragments import KINDS, SourceError

if TYPE_CHECKING:
    from appliance.media.g711 import Octets

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

_NAME = r"[a-z0-9-]+(/[a-z0-9-]+)*"
_KINDS = "|".join(["prompt", *KINDS, *speech.CHOICES])
_SAMPLES = {"date": "2000-01-01", "time": "12:00"}                   # a value of the kind; else "1"


def _a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


@cache
def _tones() -> Mapping[str, "Octets"]:
    """Every country has the same ones."""
    from appliance.media import sources

    return sources.loops("cn")


def _playable(name: str) -> str:
    kind, _, value = name.partition(":")
    try:
        if placeholders(name):
            if not speech.is_spoken(name):
                raise ValueError(f"{name!r}: only what is said has variables: {', '.join(speech.CHOICES)}")
            if value.startswith("{") and value.count("{") == 1:      # the rest of it can be judged
                sample = _SAMPLES.get(kind.partition("/")[0], "1")
                speech.speak(f"{kind}:{sample}{value.partition('}')[2]}", "zh")
        elif speech.is_spoken(name):
            speech.speak(name, "zh")
        elif kind in KINDS:
            from appliance.media import sources  # here: for flows that have such fragments

            sources.make(name, _tones())
    except (speech.SpeechError, SourceError, ExpressionError) as error:
        raise ValueError(str(error)) from None
    return name


# The name of a prompt below the language's folder, or a fragment: silence:500, amount:{balance} CNY
PromptName = Annotated[
    str, Field(pattern=rf"^({_NAME}|({_KINDS})(/[a-z0-9]+)*:[ -~]+)$"), AfterValidator(_playable)]
Prompts = Annotated[list[PromptName], BeforeValidator(_a_list), Field(min_length=1)]


def fragment(name: str, language: str) -> str:
    """What spand is told to play for an entry of Prompts."""
    if ":" not in name:
        return f"prompt:{language}/{name}"
    return speech.in_language(name, language) if speech.is_spoken(name) else name


def fragments(names: Iterable[str], language: str, variables: Mapping[str, Value]) -> tuple[list[str], str]:
    """What is played of entries of Prompts; and why not all of it: "" when all is."""
    played, wrong = [], []
    for name in names:
        one = fragment(fill(name, variables), language)
        if one != fragment(name, language):       # a value that nobody has seen yet
            try:
                speech.speak(one, language)
            except speech.SpeechError as error:
                wrong.append(str(error))
                continue
        played.append(one)
    return played, "; ".join(wrong)
