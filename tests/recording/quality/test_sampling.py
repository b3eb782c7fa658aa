"""Drawing calls: the criteria hold, the same seed draws the same, work is shared fairly."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.config.quality import SamplingConfig
from appliance.recording.quality.sampling import Candidate, Drawn, Sample, draw, wanted

KEY = b"a seed"
AGENTS = ["li", "wang", "zhao"]
PEOPLE = ["chen", "sun", "wu"]


def rule(**changes: Any) -> SamplingConfig:
    return SamplingConfig(name="monthly", form="service", **changes)


def calls(count: int, **changes: Any) -> list[Candidate]:
    of: dict[str, Any] = {"queue": "sales", "direction": "in", "disposition": "sold", "duration_s": 120.0}
    return [Candidate(**{"recording": f"{number:032x}", "agent": AGENTS[number % 3]} | of | changes)
            for number in range(count)]


def run(of: SamplingConfig, there: list[Candidate], before: list[Drawn] | None = None, want: int = 5,
        loads: dict[str, int] | None = None) -> Sample:
    return draw(of, "2026-11", KEY, there, before or [], dict.fromkeys(AGENTS, want),
                dict.fromkeys(AGENTS, PEOPLE), loads or {})


candidates = st.lists(st.builds(
    Candidate, recording=st.uuids().map(lambda one: one.hex), agent=st.sampled_from(AGENTS),
    queue=st.sampled_from(["", "sales", "help"]), direction=st.sampled_from(["in", "out"]),
    disposition=st.sampled_from(["", "sold"]), duration_s=st.floats(0, 2000)),
    max_size=40, unique_by=lambda one: one.recording)


@settings(deadline=None)
@given(candidates, st.integers(0, 8), st.integers(0, 2))
def test_only_what_fits_is_drawn_each_once_and_what_is_missing_is_said(
        there: list[Candidate], want: int, each: int) -> None:
    of = rule(each_queue=each, directions=["in"], dispositions=["sold"])
    sample = run(of, there, want=want)
    by_name = {one.recording: one for one in there}
    drawn = [by_name[one.recording] for one in sample.drawn]
    assert len({one.recording for one in drawn}) == len(drawn)
    assert all(60 <= one.duration_s <= 900 and one.direction == "in" and one.disposition == "sold"
               for one in drawn)
    fit = Counter(one.agent for one in there if 60 <= one.duration_s <= 900 and one.direction == "in"
                  and one.disposition == "sold")
    count = Counter(one.agent for one in drawn)
    assert all(count[agent] == min(want, fit[agent]) for agent in AGENTS)
    assert {one.agent: one.found for one in sample.shortfalls} == {
        agent: fit[agent] for agent in AGENTS if fit[agent] < want}


@settings(deadline=None)
@given(candidates)
def test_the_order_in_which_calls_come_makes_no_difference(there: list[Candidate]) -> None:
    assert {one.recording for one in run(rule(), there).drawn} == {
        one.recording for one in run(rule(), there[::-1]).drawn}


def test_another_seed_draws_others_and_each_call_is_as_likely() -> None:
    there = calls(300, agent="li")
    drawn = Counter(one.recording for seed in range(300) for one in draw(
        rule(), "2026-11", str(seed).encode(), there, [], {"li": 5}, {"li": PEOPLE}, {}).drawn)
    assert sum(drawn.values()) == 1500
    assert len(drawn) > 280                       # of 300; 1500 chances leave out 0.7 % = 2
    assert max(drawn.values()) < 20               # of a mean of 5


def test_each_queue_has_its_share_first() -> None:
    there = [*calls(60, agent="li"), Candidate("f" * 32, "li", "help", "in", "", 100.0)]
    sample = run(rule(each_queue=1), there)
    assert Counter(one.queue for one in sample.drawn if one.agent == "li") == {"sales": 4, "help": 1}
    before = [one for one in sample.drawn if one.agent == "li"][:3]
    again = run(rule(each_queue=1), there, before, want=3)
    assert [one for one in again.drawn if one.agent == "li"] == []


def test_work_is_shared_and_who_has_less_gets_more() -> None:
    sample = run(rule(), calls(60))
    assert Counter(one.scorer for one in sample.drawn) == dict.fromkeys(PEOPLE, 5)
    of_li = Counter(one.scorer for one in sample.drawn if one.agent == "li")
    assert max(of_li.values()) <= 2               # nobody has an agent for himself
    late = run(rule(), calls(60), loads={"chen": 10, "sun": 0, "wu": 5})
    assert Counter(one.scorer for one in late.drawn) == {"sun": 10, "wu": 5}


def test_nobody_to_score_is_said_and_reasons_are_counted() -> None:
    there = calls(3, duration_s=10.0) + calls(3, duration_s=2000.0)
    sample = run(rule(), there)
    assert sample.shortfalls[0].why == {"short": 1, "long": 1}
    alone = draw(rule(), "2026-11", KEY, calls(3), [], {"li": 1}, {"li": []}, {})
    assert alone.drawn == [] and alone.shortfalls[0].why == {"no-scorer": 0}


def test_the_number_grows_with_the_period_and_new_agents_have_more() -> None:
    of = rule(per_agent=4, new_per_agent=8, new_days=10)
    day = 86400.0
    days = (0, 1, 8, 15, 30, 99)
    assert [wanted(of, 0, 30 * day, now * day, -100 * day) for now in days] == [0, 1, 2, 2, 4, 4]
    assert wanted(of, 0, 30 * day, 15 * day, 14 * day) == 4       # new since yesterday
    assert wanted(of, 0, 30 * day, 30 * day, None) == 8           # never recorded so far
