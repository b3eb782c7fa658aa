"""Each row of refusals is something that an owner really says, and its words fit into its sentence."""

import ast
import re
import string
from collections.abc import Iterator

import pytest

from appliance.box.commands import refusals
from appliance.box.commands.refusals import said
from tests.conftest import ROOT

OWNERS = (
    "box/document/area", "box/document/editing", "box/document/ground", "box/document/keeper",
    "box/line_tests/area", "box/line_tests/judged", "box/line_tests/running", "box/support/tending",
    "box/update/area", "box/update/driving", "box/update/gate", "centre/agents", "centre/entry/asking",
    "centre/trial_call", "span/daemon", "trunk/channel_board", "trunk/reload", "trunk/service",
    "trunk/outgoing")
# Put together of several.
TOGETHER = ("the candidate was made from version 3, and meanwhile there is version 4 by li (why): compare, "
            "and edit it again from there",
            "was answered, but nothing louder than -60 dBm0 was heard",
            "was answered, but nothing louder than -60 dBm0 was heard, and the other end hung up",
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
    for words in (en, zh):
        fields = {name for _, name, _, _ in string.Formatter().parse(words) if name}
        assert fields <= set(pattern.groupindex)


def test_lines_are_said_one_by_one_and_what_nobody_knows_stays() -> None:
    found = said("line 3: web.port: is not there\nweb: the moon is down\nno update goes on")
    assert found.zh == "第 3 行：web.port：不存在\nweb: the moon is down\n没有进行中的升级"
    assert found.en == "line 3: web.port: is not there\nweb: the moon is down\nno update goes on"


def test_what_names_the_command_line_names_the_console() -> None:
    assert said("an update is on trial already: branchline update shows it").en == \
        "an update is on trial already: update check shows it"
    assert said("spans.t: calls are on it: branchline busy-out t, and again when they are over").en == \
        "spans.t: calls are on it: busy-out span t, and again when they are over"
