"""Every figure that acdd has in both languages: its name, its formula, its note."""

import re

import pytest
from flask import Flask
from flask_babel import force_locale

from appliance.bus.messages import FigureDefinition
from appliance.centre.figures.definitions import FIGURES
from appliance.centre.figures.words import formula
from webui.reports import words
from webui.reports.choice import ON_THE_BUS, SETS

EVERY = [one for figures in FIGURES.values() for one in figures]
LETTERS = re.compile("[A-Za-z]{2,}")


def test_formulas_and_notes_are_in_the_readers_language(bare: Flask) -> None:
    for one in EVERY:
        said = formula(one)
        with bare.app_context(), force_locale("zh"):
            assert not LETTERS.search(words.formula(said)), words.formula(said)
            assert not one.note or not LETTERS.search(re.sub(r"centre\.[a-z_.]+", "", words.note(one.note)))
            assert words.unit(one.unit) != one.unit
        with bare.app_context(), force_locale("en"):
            assert len(words.formula(said)) >= len(said)
            assert not one.note or one.note in words.NOTES


def test_sets_are_of_figures_that_there_are() -> None:
    for kind, sets in SETS.items():
        there = {one.name for one in FIGURES[ON_THE_BUS[kind]]}
        assert all(set(figures) <= there for figures in sets.values())


@pytest.mark.parametrize(("value", "unit", "text"), [
    (0.8767, "share", "87.7 %"), (None, "share", "–"), (12.34, "s", "12.3 s"), (75.0, "s", "1:15"),
    (-75.0, "s", "-1:15"), (3.14159, "Erl", "3.14"), (12345.0, "contacts", "12,345")])
def test_values_have_their_units(value: float | None, unit: str, text: str) -> None:
    assert words.shown(value, unit) == text


def test_a_name_is_of_the_language(bare: Flask) -> None:
    one = FigureDefinition(name="asa_s", zh="平均应答速度", en="speed of answer", unit="s", formula="")
    with bare.app_context(), force_locale("zh"):
        assert words.title(one) == "平均应答速度"
    with bare.app_context(), force_locale("en"):
        assert words.title(one) == "Speed of answer"
