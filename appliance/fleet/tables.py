"""Answers of many boxes as one table. Pure: JSON in, rows of text out."""

import json
import time
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

BOX = "box"
MOST_CELL = 60                                    # columns of a terminal, for people
MOST_COLUMNS = 200                                # of a table
MOST_DEPTH = 5                                    # of an answer: what is below is shown as it is
_MOMENTS = 1e9, 1e11                              # Unix seconds of 2001 to 5138; others are something else


def rows(answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One for each box, or for each row of the one table that its answer has; nested keys like span.state.

    An answer with a table and single values beside it has these in each of its rows.
    """
    found: list[dict[str, Any]] = []
    for box, answer in answers.items():
        if isinstance(answer, list):
            found += [_row(box, _flat(one)) for one in answer]
            continue
        flat = answer if isinstance(answer, dict) else {"answer": answer}
        inner = [key for key, value in flat.items()
                 if isinstance(value, list) and (not value or isinstance(value[0], dict))]
        if len(inner) == 1:
            rest = {key: value for key, value in flat.items() if key != inner[0]}
            found += [_row(box, _flat(rest) | _flat(one)) for one in flat[inner[0]]]
        else:
            found.append(_row(box, _flat(flat)))
    return found


def _row(box: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A box says nothing in another one's name."""
    return {BOX: box, **{f"its {key}" if key == BOX else key: value for key, value in values.items()}}


def table(found: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    """Lines with titles; columns that are empty everywhere are away. None: as wide as it is."""
    titles = [title for title in dict.fromkeys(key for row in found for key in row)
              if any(row.get(title) not in (None, "", [], {}) for row in found)][:MOST_COLUMNS]
    if not titles:
        return []
    cells = [titles, *([_cell(title, row.get(title), width) for title in titles] for row in found)]
    numbers = [all(isinstance(row.get(title), int | float | None) and not isinstance(row.get(title), bool)
                   for row in found) for title in titles]
    widths = [max(_columns(line[at]) for line in cells) for at in range(len(titles))]
    lines = ["  ".join(map(_pad, line, widths, numbers)).rstrip() for line in cells]
    return lines if width is None else [_cut(line, width) for line in lines]


def _flat(value: Any, before: str = "", depth: int = 0) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {before or "answer": value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{before}.{key}" if before else str(key)
        deeper = isinstance(inner, dict) and inner and depth < MOST_DEPTH
        found |= _flat(inner, name, depth + 1) if deeper else {name: inner}
    return found


def _cell(title: str, value: Any, width: int | None) -> str:
    match value:
        case None:
            text = ""
        case int() | float() if _is_moment(title, value):
            text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
        case bool():
            text = "yes" if value else "no"
        case float():
            text = f"{value:.6g}"
        case list() if all(isinstance(one, str | int | float) for one in value):
            text = ", ".join(str(one) for one in value)
        case list():
            text = f"{len(value)}"
        case dict():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    text = " ".join(text.split())
    return text if width is None else _cut(text, MOST_CELL)


def _is_moment(title: str, value: float) -> bool:
    """Unix seconds, by the name that the box's JSON gives them."""
    return title.rpartition(".")[2].rpartition("_")[2] in ("at", "since", "until") and (
        _MOMENTS[0] < value < _MOMENTS[1])


def _columns(text: str) -> int:
    """Of a terminal: what is Chinese takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _pad(text: str, wide: int, right: bool) -> str:
    room = " " * (wide - _columns(text))
    return room + text if right else text + room


def _cut(text: str, wide: int) -> str:
    if _columns(text) <= wide:
        return text
    text = text[:wide]                            # each takes one at least
    while text and _columns(text) >= wide:
        text = text[:-1]
    return text + "…"
