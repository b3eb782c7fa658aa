"""The installer's menu as a person has it: the real command on a real terminal, root's verbs behind their
socket, on a root folder of the test's own."""

import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from appliance.box.console.box import Box
from appliance.box.console.keys import MOST_CHARACTERS, Ended, Typing
from appliance.box.console.menu import Menu
from appliance.box.console.terminal import Terminal
from appliance.box.console.words import TEXTS, words
from appliance.box.privileged.verb import Value
from appliance.box.provision import kept, plan
from appliance.box.reset.wish import FLAG
from appliance.box.support.sources import Places
from appliance.bus.messages import GetUpdate, UpdateReply, UpdateState
from appliance.errors import Unavailable
from tests.box.provision.rooted import Root
from tests.box.provision.test_applying import Bench
from tests.conftest import ROOT

# --- what is typed


@pytest.mark.parametrize(("octets", "text"), [
    (b"12\r", "12"), (b"12\n", "12"), (b"a\x7fb\r", "b"), (b"\x7f\x7fb\r", "b"), (b"abc\x15d\r", "d"),
    (b"\x1b[A\x1b[3~\x1bOPx\r", "x"), (b"\xe4\xb8\xad\xff\x00x\r", "x"),
    (b"x" * 500 + b"\r", "x" * MOST_CHARACTERS),
])
def test_a_line_out_of_what_comes(octets: bytes, text: str) -> None:
    typing = Typing()
    ended = [typing.feed(octet) for octet in octets]
    assert (ended[-1], typing.text) == (Ended.ENTER, text)
    assert set(ended[:-1]) <= {None}


def test_return_and_line_feed_are_one_enter() -> None:
    typing = Typing()
    assert typing.feed(13) is Ended.ENTER
    typing.next(secret=False)
    assert typing.feed(10) is None and typing.feed(ord("x")) is None and typing.feed(10) is Ended.ENTER


def test_what_is_secret_is_not_echoed_and_noise_never_is() -> None:
    typing = Typing(secret=True)
    for octet in b"ABCD\x7f\x1b[A":
        typing.feed(octet)
    assert typing.take_echo() == ""
    chance, typing = random.Random(1), Typing()
    for _ in range(20_000):
        typing.feed(chance.randrange(256))
    assert set(typing.take_echo()) <= {"\r", "\n", "\b", *(chr(octet) for octet in range(0x20, 0x7F))}


def test_both_languages_say_the_same() -> None:
    for name, (english, chinese) in TEXTS.items():
        if chinese:
            fields = [sorted(part.partition("}")[0].partition(":")[0] for part in text.split("{")[1:])
                      for text in (english, chinese)]
            assert fields[0] == fields[1], name
    assert words("zh", "blinks", seconds="5") != words("en", "blinks", seconds="5")


# --- the menu


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: sockets lie in it."""
    path = Path(tempfile.mkdtemp(prefix="bl-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def root(folder: Path) -> Iterator[Root]:
    (folder / "run").mkdir()
    bench = Bench(folder / "root")
    bench.kept.boot()
    found = Root(folder / "run", bench)
    yield found
    found.close()


class Screen:
    def __init__(self, folder: Path, *options: str) -> None:
        self.child = pexpect.spawn(
            sys.executable, ["-m", "appliance.launch", "console", *options], cwd=str(folder), timeout=20,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "vt100"}, echo=False, dimensions=(24, 80))
        self.child.delaybeforesend = None

    def choose(self, choice: str, *then: tuple[str, str]) -> None:
        self.child.expect("Choose:|请选择:".encode())
        self.child.send(f"{choice}\r")
        for prompt, typed in then:
            self.child.expect(prompt.encode())
            self.child.send(f"{typed}\r")

    def shows(self, text: str) -> None:
        self.child.expect(text.encode())

    def menu(self) -> None:
        self.shows("Enter: menu")
        self.child.send("\r")


@pytest.fixture
def screen(folder: Path, root: Root) -> Iterator[Screen]:
    found = Screen(folder)
    yield found
    found.child.close(force=True)


@pytest.mark.need(14)
def test_the_status_of_a_box_whose_daemons_are_down_is_told_not_died_of(screen: Screen) -> None:
    screen.menu()
    screen.choose("1")
    screen.shows("Box:       ")
    screen.shows("Not known: run/bus/boxd.json")
    screen.shows("Addresses:")
    screen.choose("3")
    screen.shows("No: run/bus/boxd.json")
    screen.choose("L")
    screen.shows("1  状态")
    screen.choose("0")
    screen.shows("回车:菜单")
    assert screen.child.isalive()


def test_noise_signals_and_control_keys_end_nothing(screen: Screen) -> None:
    screen.menu()
    chance = random.Random(7)
    noise = bytes(chance.randrange(256) for _ in range(4000)).translate(None, b"0")   # 0 would leave the menu
    screen.child.expect(b"Choose:")
    for part in range(0, len(noise), 200):
        screen.child.send(noise[part:part + 200])
    for key in (b"\x03", b"\x1c", b"\x1a", b"\x04", b"\x11", b"\x13"):
        screen.child.send(key)
    screen.child.send(b"\x03\rblah\r")
    screen.shows("There is no such choice")
    screen.child.kill(signal.SIGINT)
    screen.choose("blah")
    screen.shows("There is no such choice")
    assert screen.child.isalive()


def test_a_network_wants_the_claim_code_and_is_kept_or_undone(
        screen: Screen, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "WRONG_CODE_S", 0.0)
    code = root.bench.kept.claim_code()
    screen.menu()
    screen.choose("2", ("Claim code", "AAAA-BBBB-CCCC"))
    screen.shows("That is not it")
    typed = (("Port", "enp1s0"), ("VLAN", "7"), ("IPv4", "192.0.2.10/24"), ("Gateway", "192.0.2.1"),
             ("DNS", "192.0.2.53 192.0.2.54"))
    screen.choose("2", ("Claim code", code), *typed, ("Keep it", "no"))
    screen.shows("Undone")
    assert root.bench.kept.provisioned() is None and "192.0.2.10" not in root.bench.networks()
    screen.choose("2", *typed, ("Keep it", "yes"))
    screen.shows("Kept")
    found = root.bench.after_a_boot()
    assert "Address=192.0.2.10/24" in found.networks() and "DNS=192.0.2.54" in found.networks()
    assert "Id=7\n" in found.file(f"{plan.NETWORK_FOLDER}/20-port0.7.netdev")
    screen.choose("2", ("Port", ""), ("VLAN", "x"), ("IPv4", "dhcp"), ("DNS", ""))
    screen.shows("No: network.0.vlan")


def test_a_reset_wants_the_box_s_name(screen: Screen, root: Root) -> None:
    flag = root.bench.kept.root / "data" / FLAG
    screen.menu()
    screen.choose("9", ("software stays.\r\nThere is no way back. To do it type the box's name", "yes"))
    screen.shows("Nothing was changed")
    assert not flag.exists()
    screen.choose("9", ("To do it type the box's name", socket.gethostname()))
    screen.shows("It is on its way")
    assert flag.exists() and root.reboots == 1


def test_an_update_and_a_bundle_of_a_box_that_is_down_say_why_not(screen: Screen, root: Root) -> None:
    screen.menu()
    screen.choose("6", ("Claim code", root.bench.kept.claim_code()))
    screen.shows("No: run/bus/boxd.json")
    screen.choose("4", ("Trunk|No:", ""))
    screen.choose("8", ("Type restart", "perhaps"))
    screen.shows("Nothing was changed")
    assert root.reboots == 0


class Sits(Terminal):
    """A person who types this, and goes away."""

    def __init__(self, typed: list[str]) -> None:
        self._typed = iter(typed)

    def say(self, text: str = "") -> None:
        pass

    def clear(self) -> None:
        pass

    def ask(self, prompt: str, secret: bool = False) -> str | None:
        return next(self._typed)

    def pressed(self, within_s: float) -> bool:
        return True


def test_who_comes_by_while_an_update_is_watched_has_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def root(box: Box, verb: str, arguments: object = None) -> dict[str, Value]:
        looked.append(verb)
        return {"right": True}
    monkeypatch.setattr(Box, "root", root)
    monkeypatch.setattr(Box, "update_from_stick", lambda box: None)
    def ask(box: Box, request: object) -> UpdateReply:
        if not isinstance(request, GetUpdate):
            raise Unavailable("not here")
        return UpdateReply(state=UpdateState(at=0.0, version="1", phase="waiting"), history=[])
    monkeypatch.setattr(Box, "ask", ask)
    menu = Menu(Sits(["", "6", "CODE", "6", "CODE"]), Box(Places(Path(), Path(), Path())))
    with pytest.raises(StopIteration):
        menu.run()
    assert looked.count("check-claim") == 2


def test_a_terminal_that_is_hung_up_ends_it(screen: Screen) -> None:
    screen.menu()
    screen.child.close(force=False)
    assert screen.child.exitstatus == 0 or screen.child.signalstatus == signal.SIGHUP


FRONT = """
import sys
from pathlib import Path
from appliance.box.console import front
from appliance.box.console.terminal import Terminal
from appliance.box.provision.kept import Kept
with Terminal(0, 1, 1.0) as terminal:
    front.LOOK_S = 0.05
    front.show(terminal, Kept(Path(sys.argv[1])))
print("pydantic" in sys.modules, "asyncio" in sys.modules)
"""


def test_what_a_console_shows_to_nobody_follows_the_box_and_is_light(folder: Path) -> None:
    bench = Bench(folder / "root")
    bench.kept.boot()
    child = pexpect.spawn(sys.executable, ["-c", FRONT, str(bench.kept.root)], timeout=20, echo=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "vt100"})
    child.delaybeforesend = None
    child.expect(f"Claim code: {bench.kept.claim_code()}".encode())
    run = bench.kept.root / "run/branchline"
    run.mkdir(parents=True, exist_ok=True)
    (run / "web.certificate").write_text("AB:CD\n")
    (run / "web.url").write_text("https://127.0.0.1:8080/\n")
    child.expect(b"Pages: .*SHA-256 of their certificate: AB:CD")
    bench.kept.tell("NOT PROVISIONED, nothing was changed\nbranchline-provision.yaml:1: hostname")
    child.expect(b"branchline-provision.yaml:1: hostname")
    bench.applying.typed("{language: zh}", "console", 1.0)
    child.expect("地址:".encode())
    child.expect("请按任意键".encode())
    child.send(b"x")
    child.expect(b"False False")
    child.close()


def test_it_is_for_terminals_only(folder: Path) -> None:
    out = pexpect.run(f"sh -c '{sys.executable} -m appliance.launch console </dev/null'", cwd=str(ROOT))
    assert "this is no terminal" in str(out)
