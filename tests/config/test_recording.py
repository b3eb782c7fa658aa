"""The recording policy: rules, the share of a percentage, explanations, and mistakes in the document."""

import secrets
from typing import Any

import pytest
from pydantic import ValidationError

from appliance.config.recording import (
    Direction,
    RecordingConfig,
    RecordingRule,
    Talk,
    decide,
    drawn,
    explain,
    mistakes,
)


def talk(contact: str = "c", direction: Direction = "in", **facts: str) -> Talk:
    return Talk(contact, direction, own=True, own_by="queue sales", **facts)


RULES = RecordingConfig(format="original", announce="told", pause=["system"], rules=[
    RecordingRule(name="board", agent="bo", record="never"),
    RecordingRule(name="calls-out", direction="out", called="0[0-9]+", record="always", format="small"),
    RecordingRule(name="lines", trunk="telco", queue="sales", record="on-demand", pause=["agent"]),
    RecordingRule(name="payment", flow="a.yaml", node="pay", record="on-demand", keep="whole",
                  announce="payment")])


@pytest.mark.parametrize(("facts", "rule", "record", "runs"), [
    ({"agent": "bo", "trunk": "telco", "queue": "sales"}, "board", "never", False),          # the first one
    ({"direction": "out", "called": "0123"}, "calls-out", "always", True),
    ({"direction": "out", "called": "0123x"}, "", "always", True),
    ({"direction": "in", "called": "0123"}, "", "always", True),
    ({"trunk": "telco", "queue": "sales"}, "lines", "on-demand", False),
    ({"trunk": "telco"}, "", "always", True),
    ({"flow": "a.yaml", "node": "pay"}, "payment", "on-demand", True),
    ({"flow": "b.yaml", "node": "pay"}, "", "always", True)])
def test_the_first_rule_that_takes_a_talk_decides(facts: dict[str, Any], rule: str, record: str,
                                                  runs: bool) -> None:
    decision = decide(RULES, talk(**facts))
    assert (decision.rule, decision.record, decision.runs) == (rule, record, runs)


def test_where_no_rule_takes_it_the_talk_s_own_setting_holds() -> None:
    for own in (True, False):
        decision = decide(RecordingConfig(), Talk("c", "in", own, "queue sales"))
        assert (decision.runs, decision.rule) == (own, "") and "queue sales" in decision.why
    assert decide(RecordingConfig(), talk()).format == "small"


def test_format_announcement_and_pauses_are_the_rule_s_or_else_of_all() -> None:
    out, payment = decide(RULES, talk(direction="out", called="01")), decide(
        RULES, talk(flow="a.yaml", node="pay"))
    never = decide(RULES, talk(agent="bo"))
    assert (out.format, out.announce, out.pause) == ("small", "told", ("system",))
    assert (payment.format, payment.announce, payment.unless_kept) == ("original", "payment", True)
    assert never.announce == "" and decide(RULES, talk(trunk="telco", queue="sales")).pause == ("agent",)


@pytest.mark.parametrize("percent", [5.0, 30.0, 90.0])
def test_the_share_is_right_and_always_the_same(percent: float) -> None:
    rules = RecordingConfig(rules=[RecordingRule(name="some", percent=percent)])
    names = [secrets.token_hex(16) for _ in range(20_000)]
    chosen = {name for name in names if decide(rules, talk(contact=name)).runs}
    deviation = 5 * (percent / 100 * (1 - percent / 100) / len(names)) ** 0.5 * 100          # 5 sigma
    assert abs(100 * len(chosen) / len(names) - percent) < deviation
    assert chosen == {name for name in names if decide(rules, talk(contact=name)).runs}


def test_shares_end_at_nobody_and_all_and_rules_draw_apart() -> None:
    names = [f"{number:032x}" for number in range(2000)]
    for percent, runs in ((0.0, False), (100.0, True)):
        rules = RecordingConfig(rules=[RecordingRule(name="some", percent=percent)])
        assert all(decide(rules, talk(contact=name)).runs is runs for name in names)
    both = sum(drawn("a", name) < 50 and drawn("b", name) < 50 for name in names)
    assert 400 < both < 600                       # a quarter: one rule's choice says nothing of another's
    assert drawn("a", "0" * 32) == drawn("a", "0" * 32) != drawn("b", "0" * 32)


def test_who_was_not_drawn_may_be_recorded_on_demand() -> None:
    rules = RecordingConfig(rules=[RecordingRule(name="none", percent=0.0)])
    assert decide(rules, talk()).record == "on-demand"


def test_an_explanation_goes_through_the_rules_and_ends_with_what_is_done() -> None:
    assert explain(RULES, talk(trunk="telco", queue="sales")) == [
        "board: does not take it: agent is not known, not bo",
        "calls-out: does not take it: direction is in, not out",
        "lines: takes it",
        "is recorded when somebody asks for it: rule lines; kept as original; the caller hears told before; "
        "paused by agent"]


@pytest.mark.parametrize(("rule", "what"), [
    ({"name": "a"}, "Give record or percent"),
    ({"name": "a", "record": "always", "percent": 3.0}, "Give record or percent"),
    ({"name": "a", "record": "always", "node": "x"}, "of which flow"),
    ({"name": "a", "record": "always", "keep": "whole"}, "record: on-demand"),
    ({"name": "a", "record": "always", "agent": "bo", "announce": "told"}, "before anybody knows the agent"),
    ({"name": "a", "percent": 101.0}, "less than or equal to 100"),
    ({"name": "a", "record": "always", "called": "(a*)*"}, "in too many ways")])
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        RecordingRule.model_validate(rule)


def test_names_that_nothing_has_are_told() -> None:
    wrong = list(mistakes(RULES, ["telco"], [], ["bo"]))
    assert wrong == ["recording.rules: lines: no queue is called 'sales', there are none"]
