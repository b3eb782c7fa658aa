"""Answers as people read them, in both languages, on any width."""

from typing import Annotated, Any

import msgspec
import pytest

from appliance.box.commands.render import cell, duration, page, size, text
from appliance.box.commands.screen import cut, escaped, padded, shown, width
from appliance.box.commands.table import Answer, Language, Lines, column


class Row(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, column("name", "名称")]
    octets: Annotated[int | None, column("size", "大小", "octets")]
    note: Annotated[str, column("note", "备注", spare=True)] = ""
    inner: Annotated[int, column("inner", "内部", "json")] = 0


class One(Answer, frozen=True, kw_only=True):
    state: Annotated[str, column("state", "状态")]
    up_s: Annotated[float, column("up for", "已运行", "duration")]
    wrong: Annotated[str, column("wrong", "问题", spare=True)] = ""
    rows: Annotated[list[Row], column("parts", "部件", "heading")]


ANSWER = One(state="up", up_s=93_600.0, rows=[
    Row(name="录音", octets=1_234_567), Row(name="plain", octets=None)])


def lines(answer: Answer, language: Language = "en", columns: int | None = None) -> list[str]:
    return text(page(answer, language), language, columns).splitlines()


def test_single_values_and_a_table() -> None:
    assert lines(ANSWER) == [
        "state:   up",
        "up for:  1 d 2 h",
        "",
        "parts:",
        "name     size",
        "录音   1.2 MB",
        "plain"]


def test_chinese_titles_are_two_columns_wide_each() -> None:
    found = lines(ANSWER, "zh")
    assert found == [
        "状态:    up",
        "已运行:  1 天 2 小时",
        "",
        "部件:",
        "名称     大小",
        "录音   1.2 MB",
        "plain"]
    assert width(found[4]) == width(found[5]) == 13


def test_no_rows_are_said() -> None:
    assert lines(One(state="up", up_s=0.5, wrong="hot", rows=[]), "zh") == [
        "状态:    up", "已运行:  500 毫秒", "问题:    hot", "", "部件:", "无"]


def test_a_narrow_terminal_gets_words_on_several_lines() -> None:
    answer = One(state="up", up_s=1, rows=[
        Row(name="a", octets=5, note="one two three four five six seven"), Row(name="b", octets=5)])
    found = lines(answer, columns=32)
    assert all(width(one) <= 32 for one in found)
    assert found[4:] == ["name  size  note", "a      5 B  one two three four",
                         "            five six seven", "b      5 B"]


def test_titles_of_figures_are_parted_before_a_terminal_is_too_narrow() -> None:
    class Errors(msgspec.Struct, frozen=True, kw_only=True):
        span: Annotated[str, column("span", "线路")]
        es: Annotated[int, column("ES 24 h", "ES 24 小时")]
        uas: Annotated[int, column("UAS 24 h", "UAS 24 小时")]

    class Day(Answer, frozen=True, kw_only=True):
        spans: list[Errors]
    answer = Day(spans=[Errors(span="telco1", es=19, uas=60)])
    assert lines(answer, columns=24) == [
        "span    ES 24 h   UAS 24", "                       h", "telco1       19       60"]
    assert lines(answer) == ["span    ES 24 h  UAS 24 h", "telco1       19        60"]


def test_states_are_words_of_the_persons_language() -> None:
    class State(Answer, frozen=True, kw_only=True):
        state: Annotated[str, column("state", "状态", words="channel")]
        inputs: Annotated[dict[str, bool], column("inputs", "输入", words="input")]
        alarms: Annotated[list[str], column("alarms", "告警", words="alarm")]
    answer = State(state="idle", inputs={"button": True}, alarms=["los", "new one"])
    assert lines(answer) == ["state:   idle", "inputs:  button yes", "alarms:  los, new one"]
    assert lines(answer, "zh") == ["状态:  空闲", "输入:  按钮 是", "告警:  LOS 无信号, new one"]


def test_text_is_as_it_is() -> None:
    assert lines(Lines(lines=["a:", "  b: 1", "", "# end"])) == ["a:", "  b: 1", "", "# end"]


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    assert shown("a\x1b[2Jb\u202ec\r") == "a\\x1b[2Jb\\u202ec\\x0d"
    assert shown("\ud800\u2028\u200f") == "\\ud800\\u2028\\u200f"
    assert msgspec.json.decode(escaped('{"a":"\x9b\u202e"}')) == {"a": "\x9b\u202e"}
    assert escaped('{"a":"\x9b"}').isascii()
    found = lines(One(state="\x1b]0;x\x07", up_s=1, rows=[Row(name="a\nb\x9b", octets=1)]))
    assert not any(ord(one) < 32 or one == "\x9b" for line in found for one in line)


@pytest.mark.parametrize(("seconds", "en", "zh"), [
    (0, "0 s", "0 秒"), (0.0204, "20 ms", "20 毫秒"), (1.4, "1 s", "1 秒"), (59.6, "1 min", "1 分"),
    (125, "2 min 5 s", "2 分 5 秒"), (7200, "2 h", "2 小时"), (90_061, "1 d 1 h", "1 天 1 小时"),
    (86_400 + 59, "1 d", "1 天"), (-65, "-1 min 5 s", "-1 分 5 秒"), (1e15, "1000000000000000 s", None)])
def test_durations(seconds: float, en: str, zh: str | None) -> None:
    assert duration(seconds, "en") == en
    assert zh is None or duration(seconds, "zh") == zh


@pytest.mark.parametrize(("octets", "said"), [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (5e13, "50.0 TB"), (-1500,
                                                                                               "-1.5 kB")])
def test_sizes(octets: float, said: str) -> None:
    assert size(octets) == said


@pytest.mark.parametrize(("value", "how", "said"), [
    (None, "", ""), (True, "yes", "yes"), (False, "", "no"), (1_234_567, "number", "1 234 567"),
    (0.1234, "percent", "12.3 %"), (0.0, "moment", ""), (float("nan"), "", ""), (float("inf"), "duration",
                                                                                 ""),
    (["a", "b"], "", "a, b"), ({"es": 1, "rai": 2.5}, "", "es 1, rai 2.5"), (b"12", "", "2 B"),
    (1e300, "moment", ""), (12.5, "", "12.5")])
def test_cells(value: Any, how: str, said: str) -> None:
    assert cell(value, how, "en") == said


@pytest.mark.parametrize("text", ["", "a", "one two", "中文很长的一句话没有空格", "word " * 9, "e\u0301" * 9])
@pytest.mark.parametrize("columns", [0, 1, 2, 3, 7, 80])
def test_cut_keeps_all_characters_within_the_width(text: str, columns: int) -> None:
    parts = list(cut(text, columns))
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(width(one) <= max(columns, 2) for one in parts)


def test_padding() -> None:
    assert padded("中", 4) == "中  "
    assert padded("中", 4, right=True) == "  中"
    assert padded("too long", 4) == "too long"
