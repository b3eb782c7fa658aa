"""What a source answers in a trial, as people write it."""

import json
from typing import Any

import yaml

from appliance.centre.flow import tester


def answer_of(source: str, text: str) -> tester.Answer:
    """'{name: Li}' or JSON, missing, or error. ValueError: none of them."""
    if text in ("missing", "error"):
        return None if text == "missing" else "no answer"
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = _typed(text)
    if not isinstance(found, dict):
        raise ValueError(f"{source}={text}: write '{source}={{name: Li}}', {source}=missing or "
                         f"{source}=error")
    return found


def _typed(text: str) -> Any:
    """Without the quotes of JSON; all values are texts then, as those of a table. None: it cannot be read."""
    try:
        return yaml.BaseLoader(text).get_single_data()
    except (yaml.YAMLError, RecursionError):
        return None
