"""How a command prints: a table for people or one JSON object, live pictures, progress, the last word."""

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Self

import click

from e1_driver.ctl.status import Facts
from e1_driver.ctl.table import cut, spoken_s

EX_FOUND, EX_USAGE, EX_NOINPUT, EX_UNAVAILABLE, EX_CANTCREAT, EX_INTERRUPTED = 1, 64, 66, 69, 73, 130

PROGRESS_S = 0.5
LIVE_S = 1.0

_HOME, _CLEAR, _CLEAR_BELOW, _CLEAR_REST = "\x1b[H", "\x1b[2J", "\x1b[J", "\x1b[K"


@dataclass(frozen=True, slots=True)
class Output:
    """`table` makes lines of a command's facts, for so many columns."""

    table: Callable[[Facts, int], list[str]]
    as_json: bool

    def print(self, facts: Facts) -> None:
        click.echo(json.dumps(facts, ensure_ascii=False) if self.as_json else "\n".join(self._lines(facts)))

    def draw(self, facts: Facts, first: bool) -> None:
        """In the place of what was drawn before; on no terminal below it."""
        if self.as_json or not sys.stdout.isatty():
            self.print(facts)
        else:
            shown = self._lines(facts)[:shutil.get_terminal_size().lines - 1]
            click.echo(_CLEAR * first + _HOME + "".join(f"{line}{_CLEAR_REST}\n" for line in shown)
                       + _CLEAR_BELOW, nl=False)

    def _lines(self, facts: Facts) -> list[str]:
        return self.table(facts, shutil.get_terminal_size().columns)


class Live:
    """Draws a command's facts once a second; to be called at each tick (see Runner.run)."""

    def __init__(self, output: Output, facts: Callable[[], Facts]) -> None:
        self._output, self._facts = output, facts
        self._next: float | None = None

    def __call__(self, now: float) -> bool:
        """False: it never ends anything."""
        if self._next is None or now >= self._next:
            self._output.draw(self._facts(), self._next is None)
            self._next = now + LIVE_S
        return False


class Progress:
    """One line on stderr that is written over; nothing at all when stderr is no terminal. A context."""

    def __init__(self, label: str, for_s: float | None, note: Callable[[], str] = lambda: "") -> None:
        self._label, self._note = label, note
        self._of = "" if for_s is None else f" of {spoken_s(for_s)}"
        self._began = self._told_at = time.monotonic()
        self._on = sys.stderr.isatty()

    def __call__(self, now: float) -> bool:
        """How far it is, twice a second. False: it never ends anything."""
        if self._on and now >= self._told_at + PROGRESS_S:
            self._told_at = now
            text = f"{self._label}: {spoken_s(round(now - self._began))}{self._of}  {self._note()}".rstrip()
            room = shutil.get_terminal_size().columns - 1
            click.echo(f"\r{cut(text, room)}{_CLEAR_REST}", err=True, nl=False)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        _wipe()


def tell(text: str) -> None:
    """A line on stdout while a command runs."""
    _wipe()
    click.echo(text)


def remark(text: str) -> None:
    """A line on stderr, beside what is printed."""
    _wipe()
    click.echo(f"e1ctl: {text}", err=True)


def _wipe() -> None:
    """Progress gives way; it comes again."""
    if sys.stderr.isatty():
        click.echo(f"\r{_CLEAR_REST}", err=True, nl=False)


def complain(text: str, code: int) -> NoReturn:
    """The last word, and the exit code."""
    remark(text)
    sys.exit(code)
