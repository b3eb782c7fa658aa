"""A scenario and all that it names, read from files: the one room of this package that opens any.

ConfigError has a line 'file:line: key: what' for every mistake.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import ErrorDetails

from appliance.centre.entry.load import load_entrance
from appliance.centre.flow.names import load_flows
from appliance.config.load import MOST_MISTAKES, Mistake, read
from appliance.config.load import load as load_box
from appliance.config.part import IN_WORDS, Number, Part
from appliance.config.schema import Config
from appliance.errors import ConfigError
from appliance.sim.branch import Branch
from appliance.sim.callers import KnownCall
from appliance.sim.chances import Data, Seconds
from appliance.sim.scenario import Keys, Scenario, mistakes, zone
from appliance.sim.what_if import vary

MOST_OCTETS = 16 * 1024 * 1024                    # of a file
BOX = "box="                                      # a change that names another configuration document


def load(path: Path) -> Branch:
    """A scenario, its box with the flows, and its data."""
    boxes: list[Config] = []

    def check(scenario: Scenario) -> Iterator[Mistake]:
        boxes.append(load_box(path.parent / scenario.box))
        yield from mistakes(scenario, boxes[0])

    scenario = read(path, Scenario, check)
    known = {place: known_calls(path.parent / row.csv)
             for place, row in enumerate(scenario.arrivals) if row.csv is not None}
    box = boxes[0]
    return Branch(scenario=_with_data(scenario, path.parent), config=box, known=known,
                  flows=load_flows(box.centre), entrance=load_entrance(box, zone(scenario, box)))


def variant(branch: Branch, text: str) -> Branch:
    """What if: changes as what_if.vary reads them, and box=FILE. ConfigError: one cannot be."""
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if part.startswith(BOX):
            branch = _with_box(branch, Path(part.removeprefix(BOX)))
    others = [part for part in parts if not part.startswith(BOX)]
    return vary(branch, ",".join(others)) if others else branch


class _Row(Part):
    """A line of the table; an empty cell is not known."""

    time: Annotated[float, BeforeValidator(lambda text: _of_day_s(text))]
    called: Number = ""
    caller: Number = ""
    keys: Keys | None = None
    patience_s: Seconds | None = None
    handling_s: Seconds | None = None

    def call(self) -> KnownCall:
        return KnownCall(at_s=self.time, called=self.called, calling=self.caller, keys=self.keys,
                         patience_s=self.patience_s, handling_s=self.handling_s)


def known_calls(path: Path) -> tuple[KnownCall, ...]:
    """The calls of a real day, in order. Columns: time, called, caller, keys, patience_s, handling_s."""
    lines = _lines(path)
    table = csv.DictReader(lines)
    columns = [name.strip() for name in table.fieldnames or ()]
    table.fieldnames = columns
    unknown = [name for name in columns if name not in _Row.model_fields]
    if "time" not in columns or unknown:
        raise ConfigError(f"{path}:1: {', '.join(unknown) or 'time'}: the columns are "
                          f"{', '.join(_Row.model_fields)}; time must be there")
    calls: list[KnownCall] = []
    wrong: list[str] = []
    try:
        for cells in table:
            if None in cells:
                wrong.append(f"{path}:{table.line_num}: more cells than columns")
            given = {name: cells[name].strip() for name in columns if (cells[name] or "").strip()}
            try:
                calls.append(_Row.model_validate_strings(given).call())
            except ValidationError as error:
                wrong += [f"{path}:{table.line_num}: {one['loc'][0]}: {_in_words(one)}"
                          for one in error.errors()]
    except csv.Error as error:
        wrong.append(f"{path}:{table.line_num + 1}: {error}")
    _refuse(wrong)
    return tuple(sorted(calls, key=lambda call: call.at_s))


def _in_words(error: ErrorDetails) -> str:
    wanted = IN_WORDS.get(error.get("ctx", {}).get("pattern", ""))
    return f"{error['input']!r}: write {wanted}" if wanted else error["msg"].removeprefix("Value error, ")


def _of_day_s(text: str) -> float:
    """Seconds from midnight of 08:00, 08:00:12.5, or 2026-01-05 08:00:12."""
    try:
        at = time.fromisoformat(re.split("[T ]", text)[-1])
    except ValueError:
        raise ValueError(f"{text!r}: write 08:00, 08:00:12 or 2026-01-05 08:00:12") from None
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6


def _values(path: Path) -> list[float]:
    """One a line, in s."""
    values: list[float] = []
    wrong: list[str] = []
    for number, line in enumerate(_lines(path), 1):
        if not (text := line.strip()):
            continue
        try:
            values.append(_Value.model_validate_strings({"seconds": text}).seconds)
        except ValidationError as error:
            wrong.append(f"{path}:{number}: {text!r}: {error.errors()[0]['msg']}")
    _refuse(wrong or ([] if values else [f"{path}: has no value: write one a line, in seconds"]))
    return values


class _Value(Part):
    seconds: Seconds


def _with_data(part: Any, base: Path) -> Any:
    """The same with the values of every file that a distribution names."""
    if isinstance(part, Data) and part.file is not None:
        return Data(kind="data", values_s=_values(base / part.file))
    if isinstance(part, BaseModel):
        return part.model_copy(update={name: _with_data(getattr(part, name), base)
                                       for name in type(part).model_fields})
    if isinstance(part, dict):
        return {name: _with_data(value, base) for name, value in part.items()}
    return part


def _with_box(branch: Branch, path: Path) -> Branch:
    """The same day with another configuration document."""
    config = load_box(path)
    wrong = [f"{path}: does not fit the scenario: {'.'.join(map(str, keys))}: {what}"
             for keys, what in mistakes(branch.scenario, config)]
    _refuse(wrong)
    return replace(branch, config=config, flows=load_flows(config.centre),
                   entrance=load_entrance(config, zone(branch.scenario, config)))


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            octets = file.read(MOST_OCTETS + 1)
        text = octets.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: octet {error.start}: not UTF-8, save the file as UTF-8") from None
    if len(octets) > MOST_OCTETS:
        raise ConfigError(f"{path}: larger than {MOST_OCTETS} octets: this is no day of a branch")
    return text.splitlines()


def _refuse(wrong: list[str]) -> None:
    if wrong:
        more = [f"and {len(wrong) - MOST_MISTAKES} mistakes more"] if len(wrong) > MOST_MISTAKES else []
        raise ConfigError("\n".join([*wrong[:MOST_MISTAKES], *more]))
