"""Figures: measured several times, kept as their median with the command and the machine that made them."""

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

COMMAND = "make bench"

Say = Callable[[str], None]                       # progress, for people


@dataclass(frozen=True, slots=True)
class Kind:
    """What a theme measures. `goal` is text for people: a limit, or what to compare with."""

    name: str
    unit: str
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """Figures that one run gives together: `once` returns a value for each kind by its name."""

    name: str
    about: str                                    # how it is measured, for people
    kinds: tuple[Kind, ...]
    once: Callable[[Say], dict[str, float]]
    runs: int = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is the median of `runs`, all in `unit`."""

    theme: str
    name: str
    value: float
    unit: str
    runs: list[float]
    goal: str
    machine: str


def measure(theme: Theme, runs: int, say: Say) -> list[Figure]:
    """Run the theme so often. Whatever goes wrong in it is raised: a figure of a broken run is none."""
    results: list[dict[str, float]] = []
    for number in range(1, runs + 1):
        say(f"{theme.name}, run {number} of {runs}")
        results.append(theme.once(say))
    here = machine()
    figures = []
    for kind in theme.kinds:
        values = [result[kind.name] for result in results]
        figures.append(
            Figure(theme.name, kind.name, statistics.median(values), kind.unit, values, kind.goal, here))
    return figures


def machine() -> str:
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, Python {platform.python_version()}"


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def row(figure: Figure) -> str:
    """One line for a terminal."""
    spread = f"{shown(min(figure.runs))} to {shown(max(figure.runs))}"
    return f"{figure.name:48} {shown(figure.value):>10} {figure.unit:16} {spread:24} {figure.goal}".rstrip()


def keep_json(figures: Sequence[Figure], path: Path) -> None:
    """For programs: a list of objects with name, value, unit, runs, machine, goal and theme."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")


def keep_page(themes: Sequence[Theme], figures: Sequence[Figure], path: Path) -> None:
    """For people: a table of each theme."""
    head = HEAD.format(day=date.today().isoformat(), machine=figures[0].machine, command=COMMAND)
    path.write_text(head + "".join(_section(theme, figures) for theme in themes), encoding="utf-8")


def keep_sections(themes: Sequence[Theme], figures: Sequence[Figure], path: Path) -> None:
    """Put the tables of the themes that have figures into the page; the others stay as they are."""
    head, *sections = path.read_text(encoding="utf-8").split(SECTION)
    kept = {section.partition("\n")[0]: SECTION + section for section in sections}
    for theme in themes:
        if any(figure.theme == theme.name for figure in figures):
            made = (f"Made by `python -m tests.bench --only {theme.name} --page` on "
                    f"{date.today().isoformat()}, on {figures[0].machine}.\n\n")
            kept[theme.name] = _section(theme, figures, made)
    path.write_text(head + "".join(kept[theme.name] for theme in themes if theme.name in kept),
                    encoding="utf-8")


def _section(theme: Theme, figures: Sequence[Figure], made: str = "") -> str:
    rows = (f"| {one.name} | {shown(one.value)} | {one.unit} | {shown(min(one.runs))} to "
            f"{shown(max(one.runs))} | {len(one.runs)} | {one.goal} |\n"
            for one in figures if one.theme == theme.name)
    return f"{SECTION}{theme.name}\n\n{theme.about}\n\n{made}{TABLE}{''.join(rows)}"


HEAD = """\
# Benchmarks

Made by `{command}` on {day}, on {machine}, with nothing else running. Each figure is the median of several
runs; the range is that of the runs. CPU is user and system time of our daemons and their nats-server; the
software exchanges at the far ends run in the bench's own process and are not counted. A virtual line carries
blocks of 10 ms and is itself up to one block of delay from the box to the exchange.
"""
SECTION = "\n## "
TABLE = """\
| figure | median | unit | range | runs | goal, or to compare with |
|---|---|---|---|---|---|
"""
