"""root's verbs at a real socket: who may ask, what is understood, one at a time, one that goes on alone."""

import asyncio
import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from appliance.box.backup.durable import write_file
from appliance.box.privileged import asking, update
from appliance.box.privileged.machine import SetHostname
from appliance.box.privileged.serving import serve
from appliance.box.privileged.verb import BUSY, MOST_OCTETS, SOCKET, Nothing, Tell, Value, Verb, VerbError
from appliance.box.privileged.verbs import VERBS
from appliance.errors import StateError


class Count(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: int


def count(asked: Count, tell: Tell) -> dict[str, Value]:
    for number in range(asked.to):
        tell(f"{number}", number / asked.to)
    return {"counted": asked.to}


def refuse(asked: Nothing, tell: Tell) -> dict[str, Value]:
    raise StateError("not while calls are there")


def fail(asked: Nothing, tell: Tell) -> dict[str, Value]:
    raise OSError(28, "No space left on device")


TABLE = {"count": Verb(Count, count), "refuse": Verb(Nothing, refuse), "fail": Verb(Nothing, fail),
         "beside": Verb(Nothing, lambda asked, tell: {"done": True}, beside=True)}


def answers(order: bytes, tmp_path: Path, allowed: tuple[int, ...] | None = None) -> list[dict[str, Value]]:
    """What comes back for the octets of a client that then says no more."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with contextlib.suppress(BrokenPipeError):               # it was refused before it was heard
            ours.sendall(order)
            ours.shutdown(socket.SHUT_WR)

    with ours, theirs:
        sending = threading.Thread(target=send)
        sending.start()
        serve(theirs, TABLE, (os.getuid(),) if allowed is None else allowed, tmp_path / "lock")
        theirs.shutdown(socket.SHUT_RDWR)         # of what the client has still to say nothing is taken
        said = b"".join(iter(lambda: ours.recv(65536), b""))
        sending.join()
    return [json.loads(line) for line in said.splitlines()]


def test_progress_and_then_what_came_of_it(tmp_path: Path) -> None:
    assert answers(b'{"verb": "count", "arguments": {"to": 2}}\n', tmp_path) == [
        {"type": "progress", "text": "0", "share": 0.0}, {"type": "progress", "text": "1", "share": 0.5},
        {"type": "outcome", "refused": "", "result": {"counted": 2}}]


@pytest.mark.parametrize(("order", "why"), [
    (b'{"verb": "format"}\n', "'format': no such verb, there are beside, count, fail, refuse"),
    (b'{"verb": "count", "arguments": {"to": "2"}}\n', "count: Expected `int`, got `str` - at `$.to`"),
    (b'{"verb": "count", "arguments": {"to": 2, "as": 1}}\n', "unknown field `as`"),
    (b'{"verb": "count"}\n', "missing required field `to`"),
    (b'{"verb": "refuse"}\n', "not while calls are there"),
    (b'{"verb": "fail"}\n', "failed: [Errno 28] No space left on device"),
    (b'{"verb": "refuse", "shell": "rm"}\n', "no order: "),
    (b"\xff\n", "no order: "),
    (b"[" * 40_000 + b"\n", "no order: "),
    (b"", "no order: one line"),
    (b'{"verb": "refuse"}', "no order: one line"),
])
def test_a_refusal_says_why(tmp_path: Path, order: bytes, why: str) -> None:
    (outcome,) = answers(order, tmp_path)
    assert why in str(outcome["refused"])


def test_a_line_without_end_is_not_heard_out(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MOST_OCTETS)
        ours.sendall(b" " * (MOST_OCTETS + 1))
        serve(theirs, TABLE, (os.getuid(),), tmp_path / "lock")
        assert b"at most" in ours.recv(65536)


def test_who_may_not_ask_is_known_by_the_kernel(tmp_path: Path) -> None:
    (outcome,) = answers(b'{"verb": "beside"}\n', tmp_path, allowed=(os.getuid() + 1,))
    assert outcome["refused"] == f"user {os.getuid()} may not ask this"


def test_one_at_a_time_but_for_those_that_may_be_beside(tmp_path: Path) -> None:
    outcomes: list[list[dict[str, Value]]] = []

    def meanwhile(asked: Nothing, tell: Tell) -> dict[str, Value]:
        outcomes.append(answers(b'{"verb": "refuse"}\n', tmp_path))
        outcomes.append(answers(b'{"verb": "beside"}\n', tmp_path))
        return {}

    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b'{"verb": "slow"}\n')
        serve(theirs, {"slow": Verb(Nothing, meanwhile)}, (os.getuid(),), tmp_path / "lock")
    assert outcomes[0][0]["refused"] == f"slow {BUSY}", "by these words boxd knows that it may ask again"
    assert outcomes[1] == [{"type": "outcome", "refused": "", "result": {"done": True}}]
    assert answers(b'{"verb": "refuse"}\n', tmp_path)[0]["refused"] == "not while calls are there"


def test_a_verb_goes_on_when_who_asked_is_gone(tmp_path: Path) -> None:
    went_on: list[int] = []

    def act(asked: Nothing, tell: Tell) -> dict[str, Value]:
        ours.close()
        for number in range(3):
            tell("more", 0.0)
            went_on.append(number)
        return {}

    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(b'{"verb": "act"}\n')
        serve(theirs, {"act": Verb(Nothing, act)}, (os.getuid(),), tmp_path / "lock")
    assert went_on == [0, 1, 2]


async def asked_of(tmp_path: Path, act: Callable[[Count, Tell], dict[str, Value]], to: int = 1,
                   hear: Callable[[str, float], None] = lambda text, share: None) -> dict[str, Value]:
    """As boxd asks, of a socket as systemd has it: a thread in place of the process for each connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / SOCKET))
        listener.listen()

        def accept() -> None:
            line, _ = listener.accept()
            with line:
                serve(line, {"count": Verb(Count, act)}, (os.getuid(),), tmp_path / "lock")
        serving = asyncio.create_task(asyncio.to_thread(accept))
        try:
            return await asking.ask(tmp_path, "count", Count(to), hear)
        finally:
            await serving


async def test_the_client_hears_progress_and_has_the_result(tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []
    assert await asked_of(tmp_path, count, 2, lambda *one: heard.append(one)) == {"counted": 2}
    assert heard == [("0", 0.0), ("1", 0.5)]


async def test_the_client_is_told_why_not(tmp_path: Path) -> None:
    def no(asked: Count, tell: Tell) -> dict[str, Value]:
        raise StateError("the disk is full")

    with pytest.raises(VerbError, match="the disk is full"):
        await asked_of(tmp_path, no)


async def test_a_laptop_has_no_such_socket(tmp_path: Path) -> None:
    with pytest.raises(VerbError, match="it is no installed box"):
        await asking.ask(tmp_path, "reboot")


@pytest.mark.parametrize("name", ["", "-a", "a-", "a.b", "A", "a b", "a\n", "x" * 64, "$(reboot)"])
def test_what_is_no_host_name(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"name": name}), type=SetHostname)


def test_a_stick_is_copied_into_the_folder_and_never_through_a_link_there(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles, stick, secret = tmp_path / "bundles", tmp_path / "v2.raucb", tmp_path / "shadow"
    bundles.mkdir()
    stick.write_bytes(b"new")
    secret.write_bytes(b"root's")
    (bundles / "v2.raucb.part").symlink_to(secret)
    monkeypatch.setattr(update, "BUNDLES", bundles)
    assert update._copied(stick, lambda text, share: None) == "v2.raucb"
    assert (secret.read_bytes(), (bundles / "v2.raucb").read_bytes()) == (b"root's", b"new")
    monkeypatch.setattr(update, "SPARE_OCTETS", 1 << 60)
    with pytest.raises(VerbError, match="has no room"):
        update._copied(stick, lambda text, share: None)


def test_a_file_is_written_through_no_link(tmp_path: Path) -> None:
    """Of those who own the folder: root, who provisions, writes there."""
    secret, path = tmp_path / "shadow", tmp_path / "setup-code"
    secret.write_bytes(b"root's")
    path.with_name("setup-code.new").symlink_to(secret)
    write_file(path, b"code")
    assert (secret.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"root's", b"code", False)


def test_every_verb_forbids_what_it_does_not_know() -> None:
    for name, verb in VERBS.items():
        assert verb.arguments.__struct_config__.forbid_unknown_fields, name
        assert verb.arguments.__struct_config__.frozen, name
