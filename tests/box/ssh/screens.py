"""A terminal as ECMA-48 has it, as far as the console uses it: what a person sees of what was written."""

import re

from appliance.box.commands.screen import width

_SEQUENCE = re.compile(r"\x1b\[(\d*)(?:;\d+)*([A-Za-z])")


class ScreenOf:
    """Rows of cells; a wide character is in two of them, the second one empty."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[str]] = [[" "] * columns]
        self.row = self.column = 0
        self.bells = 0
        self._late = False                        # the cursor waits behind the last cell, as terminals do

    def write(self, text: str) -> None:
        at = 0
        while at < len(text):
            found = _SEQUENCE.match(text, at)
            if found:
                self._obey(int(found[1] or 0), found[2])
                at = found.end()
                continue
            self._put(text[at])
            at += 1

    @property
    def text(self) -> list[str]:
        lines = ["".join(row).rstrip() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _obey(self, number: int, act: str) -> None:
        self._late = False
        match act:
            case "A":
                self.row = max(0, self.row - max(1, number))
            case "B":
                self._to(self.row + max(1, number))
            case "C":
                self.column = min(self.columns - 1, self.column + max(1, number))
            case "H":
                self.row = self.column = 0
            case "J":
                keep = 0 if number == 2 else self.row
                self.rows[keep][0 if number == 2 else self.column:] = \
                    [" "] * (self.columns - (0 if number == 2 else self.column))
                del self.rows[keep + 1:]
                self._to(self.row)
            case "K":
                self.rows[self.row][self.column:] = [" "] * (self.columns - self.column)

    def _put(self, one: str) -> None:
        match one:
            case "\r":
                self.column, self._late = 0, False
            case "\n":
                self._to(self.row + 1)
            case "\x07":
                self.bells += 1
            case _:
                wide = width(one)
                if self._late or self.column + wide > self.columns:
                    self._to(self.row + 1)
                    self.column = 0
                if not wide:
                    return
                self.rows[self.row][self.column] = one
                if wide == 2:
                    self.rows[self.row][self.column + 1] = ""
                self.column += wide
                self._late = self.column >= self.columns
                self.column = min(self.column, self.columns - 1) if self._late else self.column

    def _to(self, row: int) -> None:
        self.row, self._late = row, False
        while len(self.rows) <= row:
            self.rows.append([" "] * self.columns)
