"""Tables that people keep in a spreadsheet: CSV in UTF-8 with a line of column names; mistakes have lines."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.errors import ConfigError

MAX_OCTETS = 64 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_MISTAKES = 50                                # said; of more there is the count

Take = Callable[[list[str], int], None]           # a row's values in the order of the columns, its line


def read_table(path: Path, columns: Sequence[str], more: Sequence[str], take: Take) -> None:
    """Give every row to `take`, which raises ValueError for one that is wrong.

    Columns of `more` may be absent, their values are then "". ConfigError: a line 'file:line: what' each.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    wrong: list[str] = []
    mistakes = 0
    try:
        order = _order(path, next(reader, []), columns, more)
        for count, row in enumerate(reader, 1):
            if count > MOST_ROWS:
                raise ConfigError(f"{path}:{reader.line_num}: more than {MOST_ROWS} rows, this cannot be it")
            if not any(row):
                continue
            try:
                if len(row) > len(order):
                    raise ValueError(f"{len(row)} values for {len(order)} columns: put a text with "
                                     "a comma in quotes")
                values = [""] * (len(columns) + len(more))
                for place, value in zip(order, row, strict=False):
                    values[place] = value.strip()
                take(values, reader.line_num)
            except ValueError as error:
                mistakes += 1
                if mistakes <= MOST_MISTAKES:
                    wrong.append(f"{path}:{reader.line_num}: {error}")
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}: {error}") from None
    if mistakes > MOST_MISTAKES:
        wrong.append(f"{path}: and {mistakes - MOST_MISTAKES} mistakes more")
    if wrong:
        raise ConfigError("\n".join(wrong))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(octets) > MAX_OCTETS:
        raise ConfigError(f"{path}: larger than {MAX_OCTETS} octets, this cannot be it")
    try:
        return octets.decode("utf-8-sig")         # spreadsheets write a byte order mark
    except UnicodeDecodeError as error:
        line = octets[:error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8: save it as CSV UTF-8") from None


def _order(path: Path, names: list[str], columns: Sequence[str], more: Sequence[str]) -> list[int]:
    """Where the values of a row go."""
    known = [*columns, *more]
    given = [name.strip().lower() for name in names]
    missing = [name for name in columns if name not in given]
    strange = [name for name in given if name not in known]
    if missing or strange or len(set(given)) != len(given):
        what = (f"no column {missing[0]}" if missing else f"no column can be called {strange[0]!r}" if strange
                else "a column is there twice")
        raise ConfigError(f"{path}:1: {what}: the first line names the columns, "
                          f"of {','.join(known)}; divided by commas")
    return [known.index(name) for name in given]
