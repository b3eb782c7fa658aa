"""A form: what is judged in a call, and what weighs how much. From a YAML file; pure once it is read."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.load import Mistake, read
from appliance.config.part import Name, Part
from appliance.config.quality import Weight
from appliance.errors import ConfigError

MOST_ITEMS = 100
SCALE_BEST = 5.0

Text = Annotated[str, Field(min_length=1, max_length=500)]


class Item(Part):
    """One question. yes-no: 1 or 0. scale: 1 (worst) to 5. points: 0 to `best`."""

    name: Name
    text: Text
    kind: Literal["yes-no", "scale", "points"] = "yes-no"
    weight: Weight = 1.0
    best: Annotated[int, Field(ge=1, le=100)] | None = None          # of points
    fatal: bool = False                           # the worst answer makes the whole 0
    na: bool = True                               # may be "not applicable"
    help: Annotated[str, Field(max_length=2000)] = ""

    @model_validator(mode="after")
    def _points_have_a_best(self) -> "Item":
        if (self.kind == "points") != (self.best is not None):
            raise ValueError("points need best, the most that may be given" if self.best is None
                             else f"best: only points have one, this is {self.kind}")
        return self

    @property
    def worst(self) -> float:
        return 1.0 if self.kind == "scale" else 0.0

    @property
    def top(self) -> float:
        return {"yes-no": 1.0, "scale": SCALE_BEST}.get(self.kind, float(self.best or 1))

    def takes(self, value: float | None) -> bool:
        if value is None:
            return self.na
        return self.worst <= value <= self.top and value == int(value)

    def share(self, value: float) -> float:
        """0 for the worst answer, 1 for the best."""
        return (value - self.worst) / (self.top - self.worst)


class Section(Part):
    title: Text
    weight: Weight = 1.0
    items: Annotated[list[Item], Field(min_length=1)]


class Form(Part):
    name: Name
    title: Text
    passing: Annotated[float, Field(ge=0, le=100)] = 80.0            # a score from here on is a pass
    sections: Annotated[list[Section], Field(min_length=1)]

    def items(self) -> Iterator[tuple[Item, float]]:
        """Each with its weight in the whole."""
        for section in self.sections:
            for item in section.items:
                yield item, section.weight * item.weight

    def digest(self) -> str:
        """The same for files that say the same."""
        said = json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Result:
    score: float | None                           # 0 to 100; None: nothing applied
    fatal: tuple[str, ...]                        # items that made it 0
    passed: bool


def result(form: Form, values: Mapping[str, float | None]) -> Result:
    """What the answers make. None is "not applicable": the weight leaves the denominator.

    Items without an answer count as not applicable: a draft's score as far as it has come.
    """
    given = [(item, weight, value) for item, weight in form.items()
             if (value := values.get(item.name)) is not None]
    fatal = tuple(item.name for item, _, value in given if item.fatal and item.share(value) == 0.0)
    whole = sum(weight for _, weight, _ in given)
    if not given:
        return Result(None, (), False)
    score = 0.0 if fatal else 100.0 * sum(weight * item.share(value) for item, weight, value in given) / whole
    return Result(min(100.0, round(score, 2)), fatal, not fatal and score >= form.passing)


def wrong(form: Form, values: Mapping[str, float | None], complete: bool) -> str:
    """Why these answers cannot be taken; "": they can."""
    items = {item.name: item for item, _ in form.items()}
    for name, value in values.items():
        if name not in items:
            return f"{name}: the form has no such item, it has {', '.join(items)}"
        item = items[name]
        if not item.takes(value):
            said = "not applicable" if value is None else f"{value:g}"
            may = " or not applicable" if item.na else ""
            return f"{name}: {said} is no answer: give {item.worst:g} to {item.top:g}{may}"
    if complete:
        missing = [name for name in items if name not in values]
        if missing:
            return f"{', '.join(missing)}: not answered yet"
        if all(value is None for value in values.values()):
            return "nothing of the form applies to this call: judge another one"
    return ""


def load(path: Path) -> Form:
    """ConfigError has a line 'file:line: key: what' for every mistake."""
    form = read(path, Form, _mistakes)
    if form.name != path.stem:
        raise ConfigError(f"{path}: name: the form is called {form.name!r}: call the file {form.name}.yaml")
    return form


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml")) if folder.is_dir() else []


def _mistakes(form: Form) -> Iterator[Mistake]:
    names: set[str] = set()
    for place, section in enumerate(form.sections):
        for which, item in enumerate(section.items):
            if item.name in names:
                yield ("sections", place, "items", which, "name"), f"{item.name!r} is there twice"
            names.add(item.name)
    if len(names) > MOST_ITEMS:
        yield ("sections",), f"{len(names)} items: {MOST_ITEMS} are the most"
