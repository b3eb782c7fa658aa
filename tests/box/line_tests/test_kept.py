"""Results of tests outlive boxd and a cut; an order that cannot be is refused with its reason."""

from pathlib import Path

import pytest

from appliance.box.line_tests.judged import mistake, outcome
from appliance.box.line_tests.kept import FOLDER, MOST, Kept
from appliance.bus.messages import LineTest, LineTestOrder
from appliance.bus.messages.line_tests import PATTERNS
from e1_driver.testing import prbs

BERT = LineTestOrder(kind="bert", for_s=60.0)


def a_test(number: int, span: str = "telco", state: str = "ended", **more: object) -> LineTest:
    return LineTest(test=f"{1_795_000_000 + number}-{number:08x}", span=span, order=BERT, by="li",
                    began_at=float(number), state=state, **more)             # type: ignore[arg-type]


@pytest.mark.parametrize(("order", "why"), [
    (BERT, ""), (LineTestOrder(kind="loop", for_s=86_400.0, loop="payload"), ""),
    (LineTestOrder(kind="verdict", for_s=10.0, plugs=True, site="地下室 3"), ""),
    (LineTestOrder(kind="siege", for_s=60.0), "kind 'siege'"),
    (LineTestOrder(kind="bert", for_s=0.5), "for_s 0.5"), (LineTestOrder(kind="bert", for_s=1e9), "for_s 1e"),
    (LineTestOrder(kind="bert", for_s=float("nan")), "for_s nan"),
    (LineTestOrder(kind="verdict", for_s=7200.0), "for_s 7200"),
    (LineTestOrder(kind="bert", for_s=9.0, pattern="rickroll"), "pattern"),
    (LineTestOrder(kind="bert", for_s=9.0, timeslots="16"), "timeslots"),
    (LineTestOrder(kind="bert", for_s=9.0, timeslots=""), "timeslots"),
    (LineTestOrder(kind="bert", for_s=9.0, inject=-1), "inject"),
    (LineTestOrder(kind="loop", for_s=9.0, loop="local"), "loop"),
    (LineTestOrder(kind="verdict", for_s=9.0, site="a\nb"), "site"),
    (LineTestOrder(kind="verdict", for_s=9.0, site="x" * 201), "site"),
])
def test_what_cannot_be_ordered_is_named(order: LineTestOrder, why: str) -> None:
    assert mistake(order).startswith(why) and bool(mistake(order)) is bool(why)


def test_every_pattern_that_may_be_ordered_is_one_of_the_tester() -> None:
    assert set(PATTERNS) <= set(prbs.NAMES)


@pytest.mark.parametrize(("kind", "facts", "stopped", "word"), [
    ("bert", {"bits": 9, "clean": True}, False, "clean"), ("bert", {"bits": 9, "clean": True}, True, "clean"),
    ("bert", {"bits": 9, "clean": False}, False, "errors"), ("bert", {"bits": 0}, False, "no-pattern"),
    ("bert", {"bits": 0}, True, "stopped"), ("bert", {}, True, "stopped"),
    ("loop", {"up": True}, True, "done"),
    ("verdict", {"fault": "cable"}, False, "cable"), ("verdict", {}, True, "stopped"),
])
def test_what_facts_come_to(kind: str, facts: dict[str, object], stopped: bool, word: str) -> None:
    assert outcome(kind, facts, stopped) == word


def test_tests_outlive_boxd_and_those_that_ran_are_known(tmp_path: Path) -> None:
    kept = Kept(tmp_path / FOLDER)
    kept.keep(a_test(1, outcome="clean"), {"bits": 7})
    kept.keep(a_test(2, state="running"), {})
    again = Kept(tmp_path / FOLDER)
    assert [one.test for one in again.of("telco")] == [a_test(2).test, a_test(1).test]
    assert again.unended() == [a_test(2, state="running")]
    reply = again.get(a_test(1).test)
    assert reply and reply.facts == {"bits": 7}
    assert again.get("../../etc/passwd") is None and again.of("pbx") == []


def test_the_oldest_of_a_span_go_with_their_papers(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    kept = Kept(folder)
    paper = kept.paper(a_test(0).test, "en")
    paper.write_bytes(b"%PDF")
    kept.keep(a_test(0, papers={"en": str(paper)}), {})
    kept.keep(a_test(99, span="pbx"), {})
    for number in range(1, MOST + 1):
        kept.keep(a_test(number), {})
    assert len(kept.of("telco")) == MOST and len(kept.of("pbx")) == 1
    assert not paper.exists() and not (folder / f"{a_test(0).test}.json").exists()


@pytest.mark.parametrize("octets", [b"", b"{", b"{\"test\": 1}", b"\xff" * 9])
def test_a_damaged_file_costs_itself_alone(tmp_path: Path, octets: bytes) -> None:
    kept = Kept(tmp_path / FOLDER)
    kept.keep(a_test(1), {})
    (tmp_path / FOLDER / f"{a_test(2).test}.json").write_bytes(octets)
    assert [one.test for one in Kept(tmp_path / FOLDER).of("telco")] == [a_test(1).test]
    (tmp_path / FOLDER / f"{a_test(1).test}.json").write_bytes(octets)
    assert kept.get(a_test(1).test) is None       # since it was read


def test_a_file_under_another_tests_name_is_none(tmp_path: Path) -> None:
    kept = Kept(tmp_path / FOLDER)
    kept.keep(a_test(1), {})
    path = tmp_path / FOLDER / f"{a_test(1).test}.json"
    path.rename(path.with_name(f"{a_test(2).test}.json"))
    assert Kept(tmp_path / FOLDER).of("telco") == []
