"""Words and sentences of daemons in Chinese: those of the pages, all that there are."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from babel.messages.pofile import read_po

from appliance.box.commands.chinese import ROUTES, WORDS, sentence, unanswered, word
from appliance.box.commands.every import table
from appliance.box.commands.render import fields
from appliance.bus.messages import Sentence, backup, document, logs, maintenance, provision, storage
from e1_driver import Alarm, Clock, LiuFault, Loop
from e1_driver.watch.clock import Why
from tests.conftest import ROOT
from webui.texts import WORDS as PAGES

PO = ROOT / "webui/translations/zh/LC_MESSAGES/messages.po"


def test_routes_are_said_as_on_the_pages() -> None:
    with PO.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    assert dict(ROUTES) == {words: catalogue[text._args[0]].string for words, text in PAGES["entry"].items()}


@pytest.mark.parametrize(("kind", "values"), [
    ("alarm", [*Alarm]), ("clock why", [*Why]), ("loop", [*Loop]), ("liu", [*LiuFault]),
    ("clock of a line", [*Clock]), ("log", logs.LOG_LEVELS), ("version", get_args(document.VersionKind)),
    ("version state", get_args(document.VersionState)), ("backup", get_args(backup.BackupKind)),
    ("maintenance", get_args(maintenance.EntryKind)), ("round", get_args(maintenance.RoutineKind)),
    ("result", [*get_args(maintenance.Result), *get_args(maintenance.Outcome)]),
    ("clock", get_args(provision.ClockSource)), ("disk use", get_args(storage.Use)),
    ("wear", get_args(storage.Wear)), *((ours, [*PAGES[pages]]) for ours, pages in (
        ("agent", "agent"), ("agent reason", "reason"), ("channel", "channel"), ("daemon", "daemon"),
        ("fitness", "fitness"), ("hunting", "hunting"), ("counter", "counter"), ("recorder", "recorder"),
        ("recording", "recording"), ("room", "level"), ("update", "update"), ("relay", "relay sense"),
        ("relay why", "relay why"), ("card reset", "card reset"), ("card trouble", "card trouble"),
        ("input", "input"), ("sensor", "sensor")))])
def test_no_word_is_missing(kind: str, values: list[str]) -> None:
    assert [one for one in values if one not in WORDS[kind]] == []


def test_every_kind_that_a_column_names_is_there_and_no_other() -> None:
    named = {words for one in table().commands for words in _kinds(one.answer)}
    assert named | {"update"} == set(WORDS)       # in whole lines: appliance.box.update.words


def _kinds(kind: type[msgspec.Struct]) -> Iterator[str]:
    for one in fields(kind):
        if one.words:
            yield one.words
        if one.row is not None:
            yield from _kinds(one.row)


def test_a_word() -> None:
    assert word("idle", "channel", "zh") == "空闲" and word("idle", "channel", "en") == "idle"
    assert word("span telco 1", "about", "zh") == "线路 telco 1"
    assert word("cause 17", "agent reason", "zh") == "原因值 17"
    assert word("new", "channel", "zh") == "new" and word("idle", "", "zh") == "idle"


@pytest.mark.parametrize(("told", "en", "zh"), [
    (Sentence("flow {flow}", {"flow": "main"}), "flow main", "流程 main"),
    (Sentence("rule {rule}: {place}", {"rule": "vip", "place": Sentence("flow {flow}", {"flow": "a"})}),
     "rule vip: flow a", "规则 vip：流程 a"),
    (Sentence("{weekday} {day}{why}: closed", {"weekday": Sentence("mon"), "day": "2026-11-23", "why": ""}),
     "mon 2026-11-23: closed", "2026-11-23 周一：不营业"),
    (Sentence("somebody's {own} words"), "somebody's {own} words", "somebody's {own} words"),
    (Sentence("{0} {"), "{0} {", "{0} {"),
])
def test_sentences(told: Sentence, en: str, zh: str) -> None:
    assert (sentence(told, "en"), sentence(told, "zh")) == (en, zh)


@pytest.mark.parametrize(("text", "zh"), [
    ("GetSpans: spand is not there", "spand 未运行"),
    ("GetSpans: spand did not answer in 2 s", "spand 2 秒内没有应答"),
    ("GetHealth: no answer in 2 s", "2 秒内没有应答"),
    ("spand says no", "spand says no")])
def test_who_does_not_answer(text: str, zh: Any) -> None:
    assert unanswered(text, "zh") == zh and unanswered(text, "en") == text
