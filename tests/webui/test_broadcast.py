"""What many see alike is made once: each gets what a page of his own would have got, and nobody another's."""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import webui.live
from tests.webui.access.people import SALES, Staff
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, token
from tests.webui.facts import live
from tests.webui.floor.facts import FloorBranch, floor_branch
from tests.webui.test_pages import shared
from webui import delta
from webui.broadcast import SETTLE_S, Group, Groups, Pace, Version
from webui.mirror import Floor, Mirror
from webui.notices.audience import Audience
from webui.rendered import Fragment
from webui.users import Users

PATIENCE_S = 10.0
LINES = st.lists(st.sampled_from(["<tr>", "</tr>", "", "行", "c" * 300]), max_size=12).map("\n".join)
SHOWN = st.dictionaries(st.sampled_from(["calls", "agents", "notice"]), LINES)


def put_in(said: bytes, page: dict[str, str]) -> None:
    """What live.js does with it."""
    for name, html in json.loads(b"{%b}" % said).items():
        page[name] = html if isinstance(html, str) else delta.whole(page[name], html)


@given(shown=st.lists(SHOWN, min_size=1, max_size=8), turns=st.data())
def test_each_of_a_group_gets_what_a_page_of_its_own_would_have_got(
        shown: list[dict[str, str]], turns: st.DataObject) -> None:
    """Whoever begins late or misses versions, and in whatever order they come for them."""
    has: list[dict[str, str]] = [{} for _ in range(4)]
    alone: list[dict[str, str]] = [{} for _ in has]
    page: list[dict[str, str]] = [{} for _ in has]
    for texts in shown:
        version = Version(texts)
        for who in turns.draw(st.lists(st.integers(0, 3), max_size=6)):
            said = version.news(has[who])
            assert said == Version(texts).news(alone[who])
            put_in(said, page[who])
            assert page[who] | texts == page[who] == has[who]
            assert version.news(has[who]) == b""


def test_words_are_made_once_for_all_who_have_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str | None] = []

    def written(old: str | None, new: str) -> str:
        said.append(old)
        return json.dumps(new)

    monkeypatch.setattr(delta, "said", written)
    first, second = Version({"a": "1", "b": "x"}), Version({"a": "2", "b": "x"})
    pages: list[dict[str, str]] = [{}, {}, {}]
    told = [(first.news(page), second.news(page)) for page in pages[:2]]
    assert told[0][1] is told[1][1]
    assert second.news(pages[2]) == b'"a": "2", "b": "x"'        # he begins here
    assert said == [None, None, "1", None, None]


@pytest.mark.parametrize("made_at, changed_at, due", [
    (100.0, None, 103.0),                         # nothing happens: a look now and then
    (100.0, 102.0, 102.0 + SETTLE_S),             # at once, with what comes of it
    (100.0, 100.01, 100.08),                      # the last one was a moment ago
    (100.0, 100.079, 100.079 + SETTLE_S)])
def test_when_the_next_version_is_due(made_at: float, changed_at: float | None, due: float) -> None:
    assert Pace(0.08, 3.0).due(made_at, changed_at) == pytest.approx(due)


class Desk:
    """A group, what it shows, and how often that was made."""

    def __init__(self) -> None:
        self.mirror, self.made = Mirror(0.0), 0
        self.group = Group(self.mirror, Pace(0.0, 60.0))

    def make(self, floor: Floor) -> Iterator[Fragment]:
        self.made += 1
        yield "flows", str(floor.woken)

    def after(self, seen: Version, wait_s: float = PATIENCE_S) -> Version:
        return self.group.after(seen, self.make, time.monotonic() + wait_s)

    def meanwhile(self, act: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=act)
        thread.start()
        return thread


def test_one_makes_what_all_get_and_who_reads_slowly_holds_nobody_back() -> None:
    desk, got = Desk(), []
    first = desk.group.newest(desk.make)
    assert desk.group.newest(desk.make) is first
    assert desk.after(first, 0.0) is first        # nothing has happened
    quick = [desk.meanwhile(lambda: got.append(desk.after(first))) for _ in range(5)]
    desk.mirror.wake()
    for one in quick:
        one.join(PATIENCE_S)
    assert len(got) == 5 and len(set(map(id, got))) == 1 and got[0].texts == {"flows": "1"}
    assert desk.made == 2
    desk.mirror.wake()
    newest = desk.after(got[0])                   # a slow one is still busy with the first
    assert newest.texts == {"flows": "2"}
    assert desk.after(first, 0.0) is newest       # and gets this one as soon as he is ready
    assert desk.made == 3


def test_what_shows_the_same_wakes_nobody_but_for_what_is_his_own() -> None:
    desk = Desk()
    first = desk.group.newest(lambda floor: [("a", "same")])
    desk.mirror.check(60.0)                       # all are away: not for this page
    assert desk.group.after(first, lambda floor: [("a", "same")], time.monotonic() + 0.1) is first
    desk.mirror.wake()
    assert desk.group.after(first, lambda floor: [("a", "same")], time.monotonic() + PATIENCE_S) is not first


def test_another_watches_when_who_did_goes_or_fails() -> None:
    desk, got, failed = Desk(), [], []
    first = desk.group.newest(desk.make)
    watches, may_fail = threading.Event(), threading.Event()

    def broken(floor: Floor) -> list[Fragment]:
        watches.set()
        may_fail.wait(PATIENCE_S)
        raise ValueError("this page is gone")

    def fail() -> None:
        try:
            desk.group.after(first, broken, time.monotonic() + PATIENCE_S)
        except ValueError as error:
            failed.append(error)

    goes = desk.meanwhile(lambda: desk.after(first, 0.2))
    stays = desk.meanwhile(lambda: got.append(desk.after(first)))
    goes.join(PATIENCE_S)
    desk.mirror.wake()
    stays.join(PATIENCE_S)
    assert [one.texts for one in got] == [{"flows": "1"}]
    first = got[0]
    desk.mirror.wake()
    fails = desk.meanwhile(fail)
    assert watches.wait(PATIENCE_S)
    stays = desk.meanwhile(lambda: got.append(desk.after(first)))
    may_fail.set()
    fails.join(PATIENCE_S)
    stays.join(PATIENCE_S)
    assert len(failed) == 1 and got[-1].texts == {"flows": "2"}


def test_all_of_a_group_end_with_the_mirror() -> None:
    desk = Desk()
    first = desk.group.newest(desk.make)
    waiting = [desk.meanwhile(lambda: desk.after(first)) for _ in range(4)]
    desk.mirror.close()
    for one in waiting:
        one.join(PATIENCE_S)
        assert not one.is_alive()


def test_a_group_is_there_as_long_as_somebody_looks() -> None:
    groups, new = Groups(), lambda: Group(Mirror(0.0), Pace(0.0, 1.0))
    with groups.joined("a", new) as one, groups.joined("b", new) as other:
        with groups.joined("a", new) as same:
            assert one is same and other is not one
        assert len(groups) == 2
    assert len(groups) == 0


# --- through the pages


@pytest.fixture
def branch() -> FloorBranch:
    return floor_branch()


@pytest.fixture
def staff(app: Flask, users: Users) -> Staff:
    users.create_first(NAME, PASSWORD)
    return Staff(app, users)


class Page:
    """A live page with a thread of its own, as the server gives it one."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self.texts: dict[str, str] = {}
        self._client, self._path = client, path
        self._came: queue.Queue[str | None] = queue.Queue()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self._client.get(self._path, buffered=False) as answer:
                for chunk in answer.response:
                    text = chunk.decode() if isinstance(chunk, bytes) else chunk
                    if text.startswith("data: "):
                        self._came.put(text.removeprefix("data: "))
        finally:
            self._came.put(None)

    def next(self) -> dict[str, str]:
        """The fragments of the next message; nothing: it has ended."""
        said = self._came.get(timeout=PATIENCE_S)
        if said is None:
            return {}
        told = json.loads(said)["fragments"]
        put_in(json.dumps(told).encode()[1:-1], self.texts)
        return {name: self.texts[name] for name in told}

    def until(self, words: str) -> str:
        """All of the messages' text until it has these words."""
        seen = ""
        while words not in seen:
            told = self.next()
            assert told, seen
            seen += " ".join(told.values())
        return seen


Look = Callable[[FlaskClient, str], Page]


@pytest.fixture
def look(exchange: FakeExchange, app: Flask) -> Iterator[Look]:
    """Open a live page; all end behind the test, and no group is left."""
    there: list[Page] = []

    def begin(client: FlaskClient, path: str) -> Page:
        there.append(Page(client, path))
        return there[-1]
    yield begin
    exchange.mirror.close()
    for one in there:
        one.thread.join(PATIENCE_S)
        assert not one.thread.is_alive()
    assert len(shared(app).groups) == 0


@pytest.mark.parametrize("path, shows", [
    ("/events", "contacts"), ("/floor/events", "calls"), ("/floor/wall/events", "wall")])
def test_who_joins_begins_with_all_of_it_and_follows(
        app: Flask, client: FlaskClient, exchange: FakeExchange, branch: FloorBranch, look: Look, path: str,
        shows: str) -> None:
    one = look(client, path)
    first = one.next()
    branch.contacts["new"] = live("new", "queue", 1.0, calling="17700001111", queue="sales")
    branch.queues = [replace(line, waiting=["new"]) for line in branch.queues]
    exchange.tell()
    one.next()
    other = look(client, path)
    begun = other.next()
    assert begun.keys() == first.keys() and shows in begun
    assert len(shared(app).groups) == 1
    branch.contacts["new"] = live("newer", "queue", 1.0, calling="17700002222", queue="sales")
    branch.queues = []
    exchange.tell()
    for page in (one, other):
        while shows not in page.next():
            pass
    assert one.texts == other.texts


def test_nobody_gets_what_is_made_for_another_language_range_role_or_address(
        app: Flask, staff: Staff, branch: FloorBranch, exchange: FakeExchange, look: Look) -> None:
    supervisor, leader = staff.new("zhao", "supervisor"), staff.new("li", "team_leader", SALES)
    chinese, admin = staff.browser("zhao"), staff.browser(NAME)
    chinese.set_cookie("language", "zh")
    asked = {"en": (supervisor, "/floor/events"), "zh": (chinese, "/floor/events"),
             "range": (leader, "/floor/events"), "role": (admin, "/floor/events"),
             "queue": (supervisor, "/floor/events?queue=service"), "board": (supervisor, "/events"),
             "wall": (supervisor, "/floor/wall/events"),
             "tiles": (supervisor, "/floor/wall/events?tiles=waiting,ready")}
    pages = {name: look(*one) for name, one in asked.items()}
    again = {name: look(*one) for name, one in asked.items()}        # of each group a second one
    for calling in ("13800138000", "17700001111"):
        for those in (pages, again):
            got = {name: page.until(calling)
                   for name, page in those.items() if name not in ("queue", "wall", "tiles")}
            assert all(">Calls<" in got[name] for name in ("en", "range", "role"))
            assert ">Calls<" not in got["zh"]
            assert "02164301234" not in got["range"] and "chen" not in got["range"]
        assert len(shared(app).groups) == len(asked)
        branch.contacts["new"] = live(
            "new", "talking", 9.0, calling="17700001111", queue="sales", agent="anna")
        exchange.tell()
    for those in (pages, again):
        assert "02164301234" in those["en"].texts["calls"] and "02164301234" in those["zh"].texts["calls"]
        those["queue"].until("02164301234"), those["wall"].until('id="wall"')
        assert "17700001111" not in those["queue"].texts["calls"]
        assert those["tiles"].until('id="wall"').count('class="tile"') == 2
        assert "02164301234" not in " ".join(those["range"].texts.values())


def test_a_notice_is_only_on_the_page_of_whom_it_is_for_though_their_floor_is_the_same(
        app: Flask, staff: Staff, exchange: FakeExchange, look: Look) -> None:
    his, hers = (look(staff.new(name, "supervisor"), "/floor/events") for name in ("li", "wu"))
    assert his.next().keys() == hers.next().keys()
    assert len(shared(app).groups) == 1
    now = time.time()
    for text, whom in (("for li alone", Audience(people=("li",))), ("for all", Audience(True))):
        shared(app).notices.add("admin", text, "normal", "blue", whom, now, now + 60.0, now)
        exchange.mirror.wake()
    assert "for li alone" in his.until("for all")
    assert "for li alone" not in hers.until("for all")


def test_one_of_a_group_signs_out_and_the_others_go_on(
        app: Flask, staff: Staff, exchange: FakeExchange, branch: FloorBranch, look: Look,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webui.live, "LOOK_S", 0.1)
    leaves, stays = staff.browser(NAME), staff.browser(NAME)
    one, other = look(leaves, "/events"), look(stays, "/events")
    assert one.next() and other.next()
    leaving, cookie = app.test_client(), leaves.get_cookie("branchline")
    assert cookie
    leaving.set_cookie("branchline", cookie.value)
    assert leaving.post("/logout", data={"csrf_token": token(leaving, "/")}).status_code == 303
    while one.next():
        pass
    branch.contacts["new"] = live("new", "flow", 1.0, calling="17700001111")
    exchange.tell()
    other.until("17700001111")
