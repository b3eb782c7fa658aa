"""A flow gives notice to people on the pages: once, kept, whatever callers and power do."""

from itertools import pairwise
from pathlib import Path

import pytest

from appliance.centre.board import Boards
from appliance.centre.flow import Flow, Known, mistakes
from appliance.centre.nodes.giving_notice import MOST, TEXT_MOST
from tests.centre.flows import load_text, office
from tests.centre.office import Office

BYE = "  bye: {kind: hangup}\n"


def flow(start: str, nodes: str) -> str:
    return f"start: {start}\nlanguage: en\nnodes:\n{BYE}{nodes}"


def told(text: str) -> str:
    return ("  tell: {kind: notice, urgency: urgent, group: day, for_s: 600, every_s: 60, next: bye, "
            f'text: "{text}"' "}\n")


def made(folder: Path, text: str = "{caller} reports an outage") -> Flow:
    return load_text(folder, flow("tell", told(text)))


def shown(office: Office) -> list[tuple[str, str, str]]:
    board = Boards().board(office.engine.state, office.setup, office.now)
    return [(one.text, one.urgency, one.group) for one in board.notices]


def test_people_are_told_and_not_again_for_a_while(tmp_path: Path) -> None:
    branch = office(made(tmp_path))
    branch.call("c1")
    one = ("13800000000 reports an outage", "urgent", "day")
    assert shown(branch) == [one]
    branch.pass_time(59.0)
    branch.call("c2")
    assert shown(branch) == [one]
    branch.pass_time(2.0)
    branch.call("c3")
    assert shown(branch) == [one, one]
    branch.restart()
    assert shown(branch) == [one, one]
    branch.pass_time(545.0)
    assert shown(branch) == [one]
    branch.pass_time(60.0)
    branch.call("c4")
    assert shown(branch) == [one] and len(branch.engine.state.notices) == 1


def test_each_node_counts_for_itself_and_without_a_group_everybody_is_told(tmp_path: Path) -> None:
    text = told("{called} is called") + "  all: {kind: notice, text: to all, next: tell}\n"
    branch = office(load_text(tmp_path, flow("all", text)))
    branch.call("c1")
    assert [(urgency, group) for _, urgency, group in shown(branch)] == [("normal", ""), ("urgent", "day")]


def test_long_texts_are_cut(tmp_path: Path) -> None:
    branch = office(made(tmp_path, "{caller} " * 55))
    branch.call("c1")
    (text, *_), = shown(branch)
    assert text.startswith("13800000000 138") and len(text) == TEXT_MOST


def test_a_text_of_nothing_is_none(tmp_path: Path) -> None:
    branch = office(made(tmp_path, "{caller}"))
    branch.call("c1", calling="")
    assert shown(branch) == []


def test_whatever_callers_do_there_is_a_bound(tmp_path: Path) -> None:
    nodes = [*(f"n{number}" for number in range(MOST + 1)), "bye"]
    branch = office(load_text(tmp_path, flow("n0", "".join(
        f"  {name}: {{kind: notice, text: t, next: {then}}}\n" for name, then in pairwise(nodes)))))
    branch.call("c1")
    assert len(shown(branch)) == MOST


@pytest.mark.parametrize(("groups", "wrong"), [
    (None, []), (["day"], []), (["night"], ["no group is called 'day', there are night"])])
def test_lint_knows_the_groups(tmp_path: Path, groups: list[str] | None, wrong: list[str]) -> None:
    assert [text for _, text in mistakes(made(tmp_path), Known(groups=groups))] == wrong
