"""Answers of web services of any octets: values that the log can hold, or a reason."""

import contextlib

from appliance.centre import events
from appliance.centre.events import encode
from appliance.centre.flow.model import Result
from appliance.centre.flow.results import AnswerError, take
from appliance.centre.lookups import LookupFailed, json_object

MOST_OCTETS = 2_000
KINDS = ("text", "number", "true-false", "digits", "amount", "date", "time")
WANTED = [{"value": Result.model_validate({"path": path, "type": kind, "optional": True})}
          for path in ("a", "a.b", "a.0") for kind in KINDS]


def corpus() -> list[bytes]:
    return [b'{"a": "12.50", "b": null}', b'{"a": {"b": "2026-12-01T09:30:00+08:00"}}',
            b'{"a": [true, 3.5e2]}', b'{"a": "\\ud83d\\ude00"}', b'{"a": "\\ud800"}', b'{"a": NaN}',
            b'{"a": ' + b"9" * 400 + b"}", b'{"a": -1e999}', '{"a": "\u738b"}'.encode("utf-16")]


def fuzz(data: bytes) -> None:
    with contextlib.suppress(LookupFailed):
        answer = json_object(data, "crm")
        for wanted in WANTED:
            with contextlib.suppress(AnswerError):
                encode(1.0, "c1", events.VariablesSet(values=take(wanted, answer)))
