"""Values out of the answer of a source, each of the kind that its flow says, or an error."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from appliance.centre.flow.expressions import ExpressionError, Value, bounded, evaluate, text_of
from appliance.centre.flow.model import Result
from appliance.errors import BranchlineError
from appliance.media.speech import values
from appliance.media.speech.values import SpeechError

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})")        # of RFC 3339, or as databases write it
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class AnswerError(BranchlineError):
    """Which result is not as the flow wants it. Never holds what was answered."""


def take(wanted: Mapping[str, Result], answer: Mapping[str, Any]) -> dict[str, Value]:
    """By variable. AnswerError: something is missing or of another kind."""
    return {name: _one(name, result, answer) for name, result in wanted.items()}


def _one(name: str, result: Result, answer: Mapping[str, Any]) -> Value:
    found = _follow(answer, result.path)
    if found is None or found == "":
        if result.optional:
            return ""
        raise AnswerError(f"{name}: the answer has nothing at {result.path}")
    try:
        return bounded(_KINDS[result.type](bounded(found)))
    except (ExpressionError, SpeechError, ValueError, KeyError):
        raise AnswerError(f"{name}: what the answer has at {result.path} is no {result.type}") from None


def _follow(answer: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(answer, Mapping):
            answer = answer.get(part)
        elif isinstance(answer, list) and part.isdecimal() and len(part) < 6 and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return None
    return answer


def _digits(value: Value) -> Value:
    values.digits(text_of(value))
    return text_of(value)


def _amount(value: Value) -> Value:
    values.amount(text_of(value), "CNY")
    return value if isinstance(value, str) and " " in value else evaluate("number(x)", {"x": value})


def _date(value: Value) -> Value:
    moment = _MOMENT.match(text_of(value))
    text = moment[1] if moment else text_of(value)
    values.day(text)
    return text


def _time(value: Value) -> Value:
    moment = _MOMENT.match(text_of(value))
    text = moment[2] if moment else text_of(value)[:5]
    values.clock(text)
    return text


_KINDS: dict[str, Callable[[Value], Value]] = {
    "text": text_of,
    "number": lambda value: evaluate("number(x)", {"x": value}),
    "true-false": lambda value: _TRUTHS[text_of(value).lower()],
    "digits": _digits,
    "amount": _amount,
    "date": _date,
    "time": _time,
}
