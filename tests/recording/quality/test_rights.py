"""Who may judge, see and coach whom."""

import pytest

from appliance.config.quality import Act, GroupConfig, PersonConfig, QualityConfig
from appliance.recording.quality.rights import ACTS, Rights

AGENTS = frozenset({"li", "wang", "zhao"})
ROWS = Rights(QualityConfig(
    groups=[GroupConfig(name="desk", agents=["li", "wang"])],
    people=[PersonConfig(name="chen", groups=["desk"], may=["score", "see"]),
            PersonConfig(name="sun", may=["decide"]),
            PersonConfig(name="wang", may=["score", "see", "coach"]),
            PersonConfig(name="miss-li", agent="li")]), AGENTS)
NONE = Rights(QualityConfig(), AGENTS)


@pytest.mark.parametrize(("person", "act", "agent", "may"), [
    ("chen", "score", "li", True), ("chen", "score", "zhao", False), ("chen", "decide", "li", False),
    ("sun", "decide", "zhao", True), ("sun", "see", "zhao", False),
    ("wang", "score", "li", True), ("wang", "score", "wang", False), ("wang", "coach", "wang", False),
    ("wang", "see", "wang", True), ("miss-li", "see", "li", True), ("miss-li", "see", "wang", False),
    ("zhao", "see", "zhao", True), ("zhao", "see", "li", False), ("nobody", "see", "li", False),
])
def test_rows_say_who_may(person: str, act: Act, agent: str, may: bool) -> None:
    assert ROWS.may(person, act, agent) is may


def test_a_name_that_is_another_persons_agent_is_not_that_agent() -> None:
    assert ROWS.agent("miss-li") == "li"
    assert ROWS.agent("li") == ""
    assert not ROWS.may("li", "see", "li")


@pytest.mark.parametrize("act", ACTS)
def test_without_rows_everybody_but_agents_may_do_all(act: Act) -> None:
    assert NONE.may("admin", act, "li") and NONE.may_ever("admin", act)
    assert not NONE.may("wang", act, "li") and not NONE.may_ever("wang", act)
    assert NONE.may("li", act, "li") is (act == "see")


def test_scorers_of_an_agent_never_are_himself() -> None:
    assert ROWS.scorers("li", []) == ["chen", "wang"]
    assert ROWS.scorers("wang", []) == ["chen"]
    assert ROWS.scorers("li", ["wang"]) == ["wang"]
