"""The pages' parts without pages: throttle, users, mirror, views, texts."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace as floor_with
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from appliance.bus.messages import (
    DAEMONS,
    Board,
    CallIncoming,
    CallInfo,
    CallReleased,
    CallTrace,
    ChannelInfo,
    ChannelStates,
    ContactLeg,
    Heartbeat,
    SegmentInfo,
    TraceFrame,
)
from appliance.errors import Unavailable
from tests.conftest import ROOT
from tests.webui.conftest import QUICK
from tests.webui.facts import contact, live
from webui import mirror as mirrors
from webui import texts, views
from webui.ladder_view import FIRST_ROWS, LAST_ROWS, contact_ladder
from webui.mirror import AWAY_S, Floor, Mirror
from webui.throttle import FORGET_S, FREE, AtHome, Throttle
from webui.users import MOST_SESSIONS, SESSION_S, Users


def test_each_guess_waits_twice_as_long_up_to_a_limit() -> None:
    throttle, now, waits = Throttle(longest_s=60.0), 100.0, []
    for _ in range(FREE + 9):
        now += throttle.wait_s("k", now)
        throttle.attempt("k", now)
        waits.append(throttle.wait_s("k", now))
    assert waits == [0.0] * (FREE - 1) + [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert throttle.wait_s("other", now) == 0.0
    assert throttle.wait_s("k", now + FORGET_S + 1) == 0.0
    throttle.passed("k")
    assert throttle.wait_s("k", now) == 0.0


def test_the_throttle_remembers_a_bounded_number_of_keys() -> None:
    throttle = Throttle(longest_s=60.0, size=100)
    for order in range(1000):
        throttle.attempt(f"k{order}", 0.0)
    assert len(throttle) == 100


def test_who_signed_in_where_is_remembered_within_bounds() -> None:
    at_home = AtHome(size=2)
    for name, address in (("anna", "1"), ("bert", "2"), ("anna", "1"), ("chen", "3")):
        at_home.remember(name, address)
    pairs = ("anna", "1"), ("anna", "3"), ("bert", "2"), ("chen", "3")
    assert [at_home.knows(*pair) for pair in pairs] == [True, False, False, True]


def test_users_that_are_no_database_are_named(tmp_path: Path) -> None:
    path = tmp_path / "users.sqlite"
    path.write_bytes(b"this was a database once" * 100)
    with pytest.raises(Unavailable, match=r"users\.sqlite: cannot be used as the file of users"):
        Users(path)
    with pytest.raises(Unavailable, match="no-folder"):
        Users(tmp_path / "no-folder" / "users.sqlite")


def test_there_is_one_first_administrator(tmp_path: Path) -> None:
    first, second = Users(tmp_path / "u"), Users(tmp_path / "u")
    assert first.create_first("anna", "long enough 1")
    assert second.create_first("mallory", "long enough 2") is None
    assert second.sign_in("mallory", "long enough 2") is None
    user = second.sign_in("anna", "long enough 1")
    assert user
    assert first.get(user.get_id()) == user
    for forged in ("", "anna", user.session[:-1], user.session + "x", "%", "' OR 1=1 --"):
        assert first.get(forged) is None
    assert user.session.encode() not in (tmp_path / "u").read_bytes()


def test_sessions_end_by_themselves_and_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = Users(tmp_path / "u", QUICK)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    users.create_first("anna", "long enough 1")
    begun = []
    for _ in range(MOST_SESSIONS + 5):
        now += 1.0
        user = users.sign_in("anna", "long enough 1")
        assert user
        begun.append(user.session)
    assert [users.get(session) is not None for session in begun] == [False] * 5 + [True] * MOST_SESSIONS
    users.sign_out(begun[-1])
    assert users.get(begun[-1]) is None
    now += SESSION_S - 2.0
    assert [users.get(session) is not None for session in begun[-3:]] == [False, True, False]


def beat(daemon: str) -> Heartbeat:
    return Heartbeat(daemon=daemon, pid=1, started_at=0.0, at=0.0, rss_octets=0, cpu_s=0.0)


def test_who_is_not_heard_is_away_and_comes_back() -> None:
    mirror = Mirror(now=0.0)
    for daemon in DAEMONS:
        mirror.hear(beat(daemon), 1.0)
    assert mirror.floor.away == frozenset()
    for daemon in set(DAEMONS) - {"acdd"}:
        mirror.hear(beat(daemon), 1.0 + AWAY_S + 0.1)
    assert mirror.floor.away == {"acdd"}
    mirror.hear(beat("acdd"), 5.0)
    assert mirror.floor.away == frozenset()


def test_an_old_board_does_not_replace_a_new_one() -> None:
    mirror = Mirror(now=0.0)
    new, old = (Board(at=at, contacts=[], queues=[], agents=[]) for at in (2.0, 1.0))
    mirror.hear(new, 0.0)
    mirror.hear(old, 0.0)
    assert mirror.floor.board is new


def test_what_another_thread_says_meanwhile_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Mirror(now=0.0)
    waker = threading.Thread(target=mirror.wake)

    def take(floor: Floor, board: Board) -> Floor:
        waker.start()
        waker.join(0.2)                           # it waits for this, or has said its own by now
        return floor_with(floor, board=board)

    monkeypatch.setitem(mirrors._TAKE, Board, take)
    mirror.hear(Board(at=1.0, contacts=[], queues=[], agents=[]), 0.0)
    waker.join(10.0)
    assert mirror.floor.woken == 1 and mirror.floor.board


def test_a_channel_that_drains_is_busy_and_marked() -> None:
    mirror = Mirror(now=0.0)
    mirror.hear(ChannelStates(span="s", trunk="t", link_up=True, channels=[
        ChannelInfo(timeslot=1, state="busy", leg="l1", blocked=True),
        ChannelInfo(timeslot=2, state="blocked", blocked=True)]), 0.0)
    cells = views.span_view(mirror.floor, "s").cells
    assert [(cell.state, cell.draining) for cell in cells] == [("busy", True), ("blocked", False)]


def test_numbers_of_a_leg_live_as_long_as_the_leg() -> None:
    mirror = Mirror(now=0.0)
    channels = ChannelStates(span="s", trunk="t", link_up=True, channels=[
        ChannelInfo(timeslot=1, state="busy", leg="l1"), ChannelInfo(timeslot=2, state="idle")])
    mirror.hear(channels, 0.0)
    assert mirror.unknown_legs()
    mirror.hear(CallIncoming(
        leg="l1", trunk="t", called="5001", calling="13800138000", calling_name="", complete=True,
        at=0.0), 0.0)
    assert not mirror.unknown_legs()
    assert views.span_view(mirror.floor, "s").cells[0].numbers == ("13800138000", "5001")
    mirror.hear(CallReleased(leg="l1", cause=16, by="far", at=0.0), 0.0)
    assert mirror.floor.numbers == {}


def test_waiting_ends_with_news_and_with_the_end() -> None:
    mirror = Mirror(now=0.0)
    wakes: list[Callable[[], None]] = [lambda: mirror.check(60.0), mirror.close]
    for wake in wakes:
        waiter = threading.Thread(target=mirror.wait, args=(mirror.floor, 60.0))
        waiter.start()
        wake()
        waiter.join(10.0)
        assert not waiter.is_alive()


def test_the_timeline_keeps_order_and_bounds() -> None:
    drawn = views.timeline(contact("c"), time.time())
    assert [kind for kind, _ in drawn.lanes] == ["flow", "queue", "ring", "talk"]
    bars = {kind: bars[0] for kind, bars in drawn.lanes}
    assert bars["talk"].left == pytest.approx(100 * 31.5 / 61, abs=0.01)
    assert bars["talk"].left + bars["talk"].width == pytest.approx(100, abs=0.01)
    assert [second for _, second in drawn.marks] == [0, 10, 20, 30, 40, 50, 60]


times = st.floats(min_value=0, max_value=2e9, allow_nan=False)


kinds = st.sampled_from(["flow", "queue", "new-kind"])
parts_of_any_time = st.lists(st.tuples(kinds, times, times), max_size=6)


@given(parts_of_any_time, times, times, times)
def test_no_times_whatever_break_the_timeline(
        parts: list[tuple[str, float, float]], began: float, ended: float, now: float) -> None:
    segments = [SegmentInfo(kind=kind, began_at=at, ended_at=end) for kind, at, end in parts]
    drawn = views.timeline(contact("c", began_at=began, ended_at=ended, segments=segments), now)
    for _, bars in drawn.lanes:
        for bar in bars:
            assert bar.width >= 0.4
            assert -0.01 <= bar.left
            assert bar.left + bar.width <= 100.01


def test_figures_count_what_the_board_shows() -> None:
    calls = [live("a", "talking", 9.0), live("b", "queue", 5.0), contact("over")]
    figures = views.figures(Floor(board=Board(at=0.0, contacts=calls, queues=[], agents=[])))
    assert (figures.calls, figures.waiting, figures.oldest_since) == (2, 0, 0.0)


@pytest.mark.parametrize(("seconds", "text"), [
    (-5, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03"), (100 * 3600, "100:00:00")])
def test_durations(seconds: float, text: str) -> None:
    assert texts.duration(seconds) == text


def first(text: Any) -> Any:
    """Of a plural the first form."""
    return text[0] if isinstance(text, (tuple, list)) else text


def test_a_ladder_without_rest_shows_its_beginning_and_its_end() -> None:
    caller = ContactLeg(leg="l1", party="caller", at=0.0)
    call = CallInfo(leg="l1", trunk="telco", span="one", timeslot=1, inbound=True, state="answered",
                    called="5001", calling="", calling_name="", complete=True, since=0.0, began_at=0.0)
    frames = [TraceFrame(float(at), False, b"\x00\x01\x01\x02") for at in range(2000)]
    trace = CallTrace(call=call, part=0, call_ref=1, network_side=False, frames=frames)
    view = contact_ladder([(caller, [trace])])
    assert [row.at for row in view.rows] == [*range(FIRST_ROWS), *range(2000 - LAST_ROWS, 2000)]
    assert view.left_out + len(view.rows) == 2000
    assert contact_ladder([(caller, [replace(trace, frames=frames[:50])])]).left_out == 0


def test_every_text_has_its_chinese() -> None:
    found: set[Any] = set()
    for pattern, method in (("**.py", "python"), ("templates/**.html", "jinja2")):
        for _, _, text, _, _ in extract_from_dir(
                str(ROOT / "webui"), [(pattern, method)],
                keywords={"_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}):
            found.add(first(text))
    with (ROOT / "webui/translations/zh/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="zh")
    said = {first(entry.id): entry for entry in catalogue if entry.id}
    assert len(found) > 150
    assert found == said.keys()
    for key, entry in said.items():
        text = first(entry.string)
        assert text, key
        assert not entry.fuzzy, key
        assert set(re.findall(r"%\(\w+\)[ds]", str(key))) == set(re.findall(r"%\(\w+\)[ds]", str(text))), key
