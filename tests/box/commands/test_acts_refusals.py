"""Each row of refusals is something that an owner really says, and its words fit into its sentence."""

import ast
import re
import string
from collections.abc import Iterator

import pytest

from appliance.box.commands import refusals
from appliance.box.commands.refusals import said
from appliance.box.update import area, gate, state, words
from appliance.bus.messages import UpdatePast
from tests.conftest import ROOT

OWNERS = (
    "box/document/area", "box/document/editing", "box/document/ground", "box/document/keeper",
    "box/line_tests/area", "box/line_tests/judged", "box/line_tests/running", "box/support/tending",
    "box/privileged/update", "box/update/area", "box/update/driving", "box/update/fetching",
    "box/update/gate", "box/update/hands", "box/update/slots", "box/update/state",
    "centre/agents", "centre/entry/asking", "centre/trial_call", "span/daemon", "trunk/channel_board",
    "trunk/reload", "trunk/service", "trunk/outgoing")
# Put together of several.
TOGETHER = ("the candidate was made from version 3, and meanwhile there is version 4 by li (why): compare, "
            "and edit it again from there",
            "was answered, but nothing louder than -60 dBm0 was heard",
            "was answered, but nothing louder than -60 dBm0 was heard, and the other end hung up",
            "spand is late", "Copying image to rootfs.1 done.", "Checking slot rootfs.1", "Checking bundle",
            "Updating slots done.", "the test call to 10000 on trunk telco: was not answered in 30 s",
            "the test call to 10000 on trunk telco was answered after 1.5 s and heard at -20 dBm0",
            "anna: give a reason, there are lunch, break", "anna: tea is no reason, there are lunch, break")


def sentences() -> Iterator[str]:
    """What the owners' texts are with something in the places of their values."""
    for owner in OWNERS:
        for node in ast.walk(ast.parse((ROOT / "appliance" / f"{owner}.py").read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from node.value.splitlines()
            elif isinstance(node, ast.JoinedStr):
                for value in ("7", "spand", "[7]"):
                    yield from "".join(_part(part, value) for part in node.values).splitlines()


def _part(part: ast.expr, value: str) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    return "'x'" if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") else value


@pytest.fixture(scope="module")
def there() -> set[str]:
    return {*sentences(), *TOGETHER}


@pytest.mark.parametrize(("pattern", "en", "zh"), refusals._COMPILED)
def test_a_row_is_said_by_its_owner(pattern: re.Pattern[str], en: str, zh: str, there: set[str]) -> None:
    assert any(pattern.fullmatch(one) for one in there)
    for sentence in (en, zh):
        fields = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        assert fields <= set(pattern.groupindex)


def of_updates() -> Iterator[str]:
    """What goes on, and why not, as its room and root's hands say it."""
    rooms = [ROOT / "appliance/box/privileged/update.py", *(ROOT / "appliance/box/update").glob("*.py")]
    for node in (node for room in rooms for node in ast.walk(ast.parse(room.read_text()))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = node.args[:1] if name in ("UpdateError", "VerbError", "_say", "tell", "Refused") else \
                node.args[1:2] if name == "progress" else []
            for one in [*given, *(each.value for each in node.keywords if each.arg == "why")]:
                if isinstance(one, ast.JoinedStr):
                    yield "".join(_part(part, "7") for part in one.values)
                elif isinstance(one, ast.Constant) and one.value:
                    yield str(one.value)
    yield from (gate.NO_TEST_CALL, area.NO_SLOTS, state.UNDECIDED, state.NEVER_UP)
    yield from gate.lacking(None, gate.Seen(daemons={"spand": "never", "trunkd": "late"}, spans=[], links=[],
                                            agents=0, silent=[]))
    yield from gate.lacking(state.Before(daemons=["spand"], spans=["e1"], links=["e1"], agents=0), gate.Seen(
        daemons={"spand": "up"}, spans=[], links=[], agents=0, silent=[]))


def test_all_that_an_update_says_is_said_in_chinese() -> None:
    others = {"7", "7: 7", "7: 7 7"}              # a path or an address, and what another program says
    found = sorted({*of_updates()} - others)
    assert len(found) > 40 and [one for one in found if not re.search("[\u4e00-\u9fff]", said(one).zh)] == []


def test_what_is_said_in_a_sentence_is_said_in_chinese_too() -> None:
    assert said("it could not be confirmed: slot B: does not run").zh == "无法确认保留：分区 B 不在运行"
    assert said("it is on trial: nothing is waited for").zh == "当前（试运行）没有可跳过的等待"
    tested = "the test call to 10000 on trunk telco: was not answered in 30 s"
    assert said(tested).zh == "经中继 telco 拨测 10000：30 秒内无人应答"
    past = UpdatePast(outcome="rolled back", why="the line of span e1 is down; spand is late", at=0.0,
                      began_at=0.0, version_from="1", version_to="2", slot="B", trials=1)
    assert words.past(past, "zh").endswith("：已回退：线路 e1 中断；spand 状态：迟缓")
    assert words.past(past).endswith(f"rolled back: {past.why}")


def test_lines_are_said_one_by_one_and_what_nobody_knows_stays() -> None:
    found = said("line 3: web.port: is not there\nweb: the moon is down\nno update goes on")
    assert found.zh == "第 3 行：web.port：不存在\nweb: the moon is down\n没有进行中的升级"
    assert found.en == "line 3: web.port: is not there\nweb: the moon is down\nno update goes on"


def test_what_names_the_command_line_names_the_console() -> None:
    assert said("an update is on trial already: branchline update shows it").en == \
        "an update is on trial already: show update says more"
    assert said("spans.t: calls are on it: branchline busy-out t, and again when they are over").en == \
        "spans.t: calls are on it: busy-out span t, and again when they are over"
