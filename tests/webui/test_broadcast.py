"""What many see alike is made once: each gets what a page of his own would have got, and nobody another's."""

import contextlib
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import webui.live_page
from appliance.bus.messages import CallTable
from tests.webui.access.people import SALES, Staff
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, token
from tests.webui.facts import live
from tests.webui.floor.facts import FloorBranch, floor_branch
from tests.webui.test_pages import shared
from webui import delta, onlookers
from webui.broadcast import NOTHING, SETTLE_S, Group, Has, Pace, Version
from webui.certificate import Certificates
from webui.live_page import Page as LivePage
from webui.mirror import Floor, Mirror
from webui.notices.audience import Audience
from webui.onlookers import Onlooker, Onlookers
from webui.rendered import Fragment
from webui.server import TAKE
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
    has = [NOTHING] * 4
    alone = list(has)
    page: list[dict[str, str]] = [{} for _ in has]
    for texts in shown:
        version = Version(texts)
        for who in turns.draw(st.lists(st.integers(0, 3), max_size=6)):
            said, has[who] = version.news(has[who])
            own, alone[who] = Version(texts).news(alone[who])
            assert said == own
            put_in(said, page[who])
            assert page[who] | texts == page[who] == has[who].texts
            assert version.news(has[who]) == (b"", has[who])


def test_words_are_made_once_for_all_who_have_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str | None] = []

    def written(old: str | None, new: str) -> bytes:
        said.append(old)
        return json.dumps(new).encode()

    monkeypatch.setattr(delta, "said", written)
    first, second, third = (Version({"a": text, "b": "x"}) for text in "123")
    one, other, late = NOTHING, NOTHING, NOTHING
    _, one = first.news(one)
    _, other = first.news(other)
    assert one is other
    (to_one, one), (to_other, other) = second.news(one), second.news(other)
    assert to_one is to_other
    told, late = second.news(late)                # he begins here
    assert told == b'"a": "2", "b": "x"' and late is one
    assert said == [None, None, "1", None, None]
    assert third.news(late)[0] is third.news(one)[0] and said[5:] == ["2"]


def test_who_has_what_no_page_shows_any_more_is_no_other_for_it() -> None:
    both, one = Version({"a": "1", "b": "x"}), Version({"a": "2"})
    _, whole = both.news(NOTHING)
    _, part = Version({"a": "1"}).news(NOTHING)
    assert one.news(whole)[0] == one.news(part)[0]
    assert one.news(whole)[1].texts == {"a": "2", "b": "x"} and one.news(part)[1].texts == {"a": "2"}
    assert one.news(Has({"a": "2"}))[0] == b""


@pytest.mark.parametrize("made_at, changed_at, due", [
    (100.0, None, 103.0),                         # nothing happens: a look now and then
    (100.0, 102.0, 102.0 + SETTLE_S),             # at once, with what comes of it
    (100.0, 100.01, 100.08),                      # the last one was a moment ago
    (100.0, 100.079, 100.079 + SETTLE_S)])
def test_when_the_next_version_is_due(made_at: float, changed_at: float | None, due: float) -> None:
    assert Pace(0.08, 3.0).due(made_at, changed_at) == pytest.approx(due)


def counted(floor: Floor) -> list[Fragment]:
    return [("flows", str(floor.woken))]


def test_a_page_of_its_own_waits_until_it_shows_another_thing() -> None:
    mirror = Mirror(0.0)
    group = Group(mirror, Pace(0.0, 60.0))
    first = group.make(counted, time.monotonic())
    assert group.after(counted, time.monotonic() - 1.0) is first
    mirror.check(60.0)                            # all are away: not for this page
    assert group.after(counted, time.monotonic() + 0.1) is first
    mirror.wake()
    assert group.after(counted, time.monotonic() + PATIENCE_S).texts == {"flows": "1"}
    mirror.close()
    assert group.after(counted, time.monotonic() + PATIENCE_S).texts == {"flows": "1"}


# --- all in one thread


class Hall:
    """Onlookers of one mirror, as many as one likes, each at the other end of a socket."""

    def __init__(self) -> None:
        self.mirror, self.made = Mirror(0.0), 0
        self.onlookers, self.left = Onlookers(self.mirror), threading.Semaphore(0)
        self.ends: list[socket.socket] = []       # of those who look

    def make(self, floor: Floor) -> Iterator[Fragment]:
        self.made += 1
        yield from counted(floor)

    def enter(self, make: Callable[[Floor], Any] | None = None, key: str = "", chunked: bool = False,
              signed_in: Callable[[], bool] = lambda: True, tls: Certificates | None = None) -> socket.socket:
        theirs, ours = socket.socketpair()
        theirs.settimeout(PATIENCE_S)
        if tls is not None:
            trusts = ssl.create_default_context(cafile=str(tls.path))
            with ThreadPoolExecutor(1) as hands:
                shaken = hands.submit(tls.context().wrap_socket, ours, server_side=True)
                theirs, ours = trusts.wrap_socket(theirs, server_hostname="box"), shaken.result()
        self.ends.append(theirs)
        page = LivePage((), 60.0, True, signed_in, time.monotonic())
        self.onlookers.take(Onlooker(
            ours, key, lambda: Group(self.mirror, Pace(0.0, 60.0)), page, make or self.make, copy_context(),
            chunked, self.left.release))
        return theirs


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.mirror.close()
    hall.onlookers.stop()
    for end in hall.ends:
        end.close()
    assert len(hall.onlookers) == 0


def heard(sock: socket.socket, words: str) -> str:
    """All that comes until these words do; "" behind it: it was closed."""
    said = b""
    while words.encode() not in said[-len(words) - 65536:]:
        octets = sock.recv(65536)
        assert octets, said
        said += octets
    return said.decode()


def flows(number: int) -> str:
    return f'"fragments": {{"flows": "{number}"}}'


def test_one_makes_what_all_get(hall: Hall) -> None:
    there = [hall.enter() for _ in range(5)]
    for one in there:
        assert heard(one, flows(0)).startswith("retry: 1000")
    begun = hall.made
    hall.mirror.wake()
    for one in there:
        heard(one, flows(1))
    assert hall.made == begun + 1
    assert len(hall.onlookers) == 1


def test_who_reads_nothing_delays_nobody_has_one_message_waiting_and_is_let_go(
        hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onlookers, "SILENCE_S", 1.0)
    longest = 0

    def much(floor: Floor) -> Iterator[Fragment]:
        nonlocal longest
        longest = max([longest, *(len(one.out) for one in hall.onlookers._there)])
        yield "flows", f"{floor.woken}-" + "".join(map(chr, range(0x4e00, 0x9e00))) * 12

    quick, _ = hall.enter(much), hall.enter(much)
    heard(quick, "}\n\n")
    for number in range(1, 12):
        hall.mirror.wake()
        assert f'"{number}-' in heard(quick, "}\n\n")
    assert 0 < longest < 1.1e6 * 1.2               # of eleven messages of this size one
    assert hall.left.acquire(timeout=PATIENCE_S)
    hall.mirror.wake()
    assert '"12-' in heard(quick, "}\n\n")


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest, tmp_path: Path) -> Certificates | None:
    if request.param == "plain":
        return None
    certificates = Certificates(tmp_path / "tls", ("box",))
    certificates.ready(time.time())
    return certificates


def test_who_was_slow_gets_what_is_new_since_what_he_has(hall: Hall, tls: Certificates | None) -> None:
    def much(floor: Floor) -> Iterator[Fragment]:
        yield "flows", f"{floor.woken}-" + "x" * 4_000_000
    quick, slow = hall.enter(much, tls=tls), hall.enter(much, tls=tls)
    for _ in range(4):
        heard(quick, "}\n\n")
        hall.mirror.wake()
    heard(quick, "}\n\n")
    said = heard(slow, '"4-')
    assert [number for number in range(5) if f'"{number}-' in said] == [0, 4]


@pytest.mark.parametrize("fails", [ValueError("this page is gone"), OSError("no file")])
def test_for_whom_it_fails_is_let_go_and_the_others_go_on(hall: Hall, fails: Exception) -> None:
    broken = False

    def make(floor: Floor) -> list[Fragment]:
        if broken:
            raise fails
        return counted(floor)
    goes = hall.enter(make)
    heard(goes, flows(0))
    stays = [hall.enter(), hall.enter(key="another")]
    for one in stays:
        heard(one, flows(0))
    broken = True
    hall.mirror.wake()
    for one in stays:
        heard(one, flows(1))
    assert goes.recv(1) == b"" and hall.left.acquire(timeout=PATIENCE_S)


def test_who_goes_or_speaks_is_let_go_at_once(hall: Hall) -> None:
    goes, speaks, stays = hall.enter(), hall.enter(), hall.enter()
    for one in (goes, speaks, stays):
        heard(one, flows(0))
    goes.close()
    speaks.send(b"GET / HTTP/1.1\r\n\r\n")
    assert speaks.recv(1) == b""
    for _ in range(2):
        assert hall.left.acquire(timeout=PATIENCE_S)
    hall.mirror.wake()
    heard(stays, flows(1))


def test_who_has_signed_out_sees_nothing_more(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webui.live_page, "LOOK_S", 0.05)
    there = threading.Event()
    leaves, stays = hall.enter(signed_in=lambda: not there.is_set()), hall.enter()
    for one in (leaves, stays):
        heard(one, flows(0))
    there.set()
    assert leaves.recv(65536) == b""
    hall.mirror.wake()
    heard(stays, flows(1))


def test_all_end_with_the_mirror_and_who_speaks_chunks_is_told_the_last(hall: Hall) -> None:
    whole, plain = hall.enter(chunked=True), hall.enter(key="another")
    said = heard(whole, "}\n\n\r\n")
    first, *rest = said.split("\r\n")
    assert int(first, 16) == len(rest[0]) == len("retry: 1000\n\n")
    heard(plain, flows(0))
    hall.mirror.close()
    assert whole.recv(65536) == b"0\r\n\r\n" and whole.recv(1) == b"" == plain.recv(1)
    hall.onlookers.stop()
    assert hall.enter().recv(1) == b""            # who comes too late


def test_numbers_wake_only_who_shows_them(hall: Hall) -> None:
    rung: list[bool] = []
    hall.mirror.tell(rung.append)
    hall.mirror.load(CallTable(calls=[], released=[]))
    hall.mirror.wake()
    assert rung == [False, True]


# --- through the pages


@pytest.fixture
def branch() -> FloorBranch:
    return floor_branch()


@pytest.fixture
def staff(app: Flask, users: Users) -> Staff:
    users.create_first(NAME, PASSWORD)
    return Staff(app, users)


class Page:
    """A live page, whose socket is taken as the server gives it away."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self.texts: dict[str, str] = {}
        self._came: queue.Queue[str | None] = queue.Queue()
        taken: list[Callable[[socket.socket, bytes], None]] = []
        self.sock, ours = socket.socketpair()
        with client.get(path, environ_overrides={TAKE: taken.append}) as answer:
            assert answer.status_code == 200 and "Content-Length" not in answer.headers
        taken[0](ours, b"")
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        with contextlib.closing(self.sock), self.sock.makefile("rb") as said:
            while octets := int(said.readline(), 16):
                text = said.read(octets).decode()
                assert said.readline() == b"\r\n"
                if text.startswith("data: "):
                    self._came.put(text.removeprefix("data: "))
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
    shared(app).onlookers.stop()
    assert len(shared(app).onlookers) == 0


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
    assert len(shared(app).onlookers) == 1
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
        assert len(shared(app).onlookers) == len(asked)
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
    assert len(shared(app).onlookers) == 1
    now = time.time()
    for text, whom in (("for li alone", Audience(people=("li",))), ("for all", Audience(True))):
        shared(app).notices.add("admin", text, "normal", "blue", whom, now, now + 60.0, now)
        exchange.mirror.wake()
    assert "for li alone" in his.until("for all")
    assert "for li alone" not in hers.until("for all")


def test_one_of_a_group_signs_out_and_the_others_go_on(
        app: Flask, staff: Staff, exchange: FakeExchange, branch: FloorBranch, look: Look,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webui.live_page, "LOOK_S", 0.1)
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
