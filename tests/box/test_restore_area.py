"""boxd's part of a restore: calls are waited for, the name is asked for, the wish can be withdrawn."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import nats.errors
import pytest
from nats.aio.client import Client

from appliance.box.backup import restore_area, wishing
from appliance.box.backup.restore_area import Restoring
from appliance.box.backup.wishing import Wish
from appliance.box.privileged import asking
from appliance.box.privileged.verb import SOCKET, VerbError
from appliance.bus import client
from appliance.bus.client import Refused
from appliance.bus.messages import (
    BeginRestore,
    CancelRestore,
    Done,
    DrainCentre,
    Drained,
    DrainTrunks,
    ForgetReplaced,
    GetRestore,
    PrepareRestore,
    Request,
    TakeRestoreBack,
)
from appliance.bus.runner import Context
from appliance.launch.restore_trial import Order, prepare
from tests.box.backed_up import PASSPHRASE, BackedUp

ASKED: dict[str, Any] = {"by": "chen", "address": "10.0.0.9", "why": "x"}


class Bus:
    def __init__(self, calls: list[int]) -> None:
        self.calls, self.asked = calls, list[Request[Any]]()

    async def ask(self, request: Request[Any]) -> Any:
        self.asked.append(request)
        if isinstance(request, DrainTrunks):
            return Drained(calls=self.calls.pop(0) if self.calls and request.for_s else 0)
        return Done()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackedUp:
    monkeypatch.setattr(restore_area, "LOOK_S", 0.01)
    return BackedUp.make(tmp_path)


def run(box: BackedUp, bus: Bus | client.Bus, act: Callable[[Restoring], Awaitable[None]]) -> None:
    async def in_loop() -> None:
        context = SimpleNamespace(
            state_dir=box.state_dir, run_dir=box.state_dir / "run", config_path=box.document, bus=bus,
            keep=asyncio.create_task)
        await act(Restoring(cast(Context, context), lambda: "box7", box.backups()))
    asyncio.run(in_loop())


async def ask(area: Restoring, request: Request[Any]) -> Any:
    return await area.answers[type(request)](request)


async def over(area: Restoring) -> Any:
    while area._work is not None:
        await asyncio.wait([area._work])
    return await ask(area, GetRestore())


def looked_at(box: BackedUp) -> str:
    return prepare(Order(
        source="x", path=box.back_up().path, document=str(box.document), state_dir=str(box.state_dir),
        box="branch")).token


def test_calls_are_waited_for_and_the_wish_is_kept(box: BackedUp) -> None:
    token, bus = looked_at(box), Bus([2, 1])

    async def act(area: Restoring) -> None:
        for wrong in (BeginRestore(token=token, name="box8", **ASKED),
                      BeginRestore(token="another", name="box7", **ASKED),
                      TakeRestoreBack(name="box7", **ASKED)):
            with pytest.raises(Refused):
                await ask(area, wrong)
        await ask(area, BeginRestore(token=token, name="box7", **ASKED))
        with pytest.raises(Refused, match="wait until that is over"):
            await ask(area, PrepareRestore(source="x"))
        found = await over(area)
        assert found.wished and found.error == ""
        with pytest.raises(Refused, match="starts anew"):
            await ask(area, ForgetReplaced())
        assert [one for one in bus.asked if isinstance(one, DrainTrunks)] == [
            DrainTrunks(for_s=restore_area.LEASE_S)] * 3
        await ask(area, CancelRestore())
        assert bus.asked[-2:] == [DrainTrunks(for_s=0.0), DrainCentre(for_s=0.0)]
    run(box, bus, act)
    assert not wishing.wished(box.state_dir) and wishing.prepared(box.state_dir) is None
    assert not (box.state_dir / "restore" / "key").exists()


def test_waiting_for_calls_is_cancelled_and_now_ends_them(box: BackedUp) -> None:
    token, bus = looked_at(box), Bus([3] * 1000)

    async def act(area: Restoring) -> None:
        await ask(area, BeginRestore(token=token, name="box7", begin="now", **ASKED))
        await asyncio.sleep(0)                    # it has begun
        assert "3 calls are left" in (await ask(area, GetRestore())).running
        assert DrainTrunks(for_s=restore_area.LEASE_S, end=True) in bus.asked
        await ask(area, CancelRestore())
        found = await ask(area, GetRestore())
        assert not found.running and not found.wished and found.prepared is None
    run(box, bus, act)


def test_a_box_that_cannot_start_anew_keeps_no_wish(
        box: BackedUp, monkeypatch: pytest.MonkeyPatch) -> None:
    token = looked_at(box)

    async def refused(*_: object) -> Any:
        raise VerbError("install is under way: ask again after it")
    monkeypatch.setattr(restore_area, "ask", refused)

    async def act(area: Restoring) -> None:
        await ask(area, BeginRestore(token=token, name="box7", **ASKED))
        found = await over(area)
        assert "install is under way" in found.error and not found.wished
    run(box, Bus([]), act)


def test_it_is_prepared_in_a_process_of_its_own(box: BackedUp) -> None:
    made = box.back_up()
    (box.state_dir / "uploads").mkdir()
    (box.state_dir / "uploads" / "a.backup").write_bytes(Path(made.path).read_bytes())

    async def act(area: Restoring) -> None:
        for source in ("upload:none.backup", "upload:../acd.sqlite", "/etc/shadow", "upload:"):
            with pytest.raises(Refused):
                await ask(area, PrepareRestore(source=source))
        await ask(area, PrepareRestore(source="upload:a.backup", passphrase="four other words here"))
        found = await over(area)
        assert "the passphrase does not open it" in found.error and found.prepared is None
        await ask(area, PrepareRestore(source="upload:a.backup", passphrase=PASSPHRASE))
        found = await over(area)
        assert found.error == "" and found.prepared.refused == ""
        stamp = found.prepared.prepared_at
        (box.state_dir / "restore" / "trialx7").mkdir()              # of one that was killed
        (box.state_dir / "restore" / "trialx7" / "users.sqlite").touch()
        await area._tidy(stamp + 60)
        assert (await ask(area, GetRestore())).prepared is not None
        await area._tidy(stamp + restore_area.PREPARED_S + 60)
        assert (await ask(area, GetRestore())).prepared is None
    run(box, Bus([]), act)
    assert list((box.state_dir / "restore").iterdir()) == []


def test_a_wish_that_the_box_did_not_start_for_is_withdrawn(box: BackedUp) -> None:
    """Else it would be fulfilled on the day when the power fails next."""
    looked_at(box)
    wishing.ask(box.state_dir, Wish(id="1", act="restore", at=1.0, by="chen", address="", why="x",
                                    box="branch", version="1", backup_at=1.0))

    async def act(area: Restoring) -> None:
        stop = asyncio.Event()
        stop.set()
        await area.run(stop)
        found = await ask(area, GetRestore())
        assert not found.wished and "nothing was restored" in found.error
    run(box, Bus([]), act)


def test_a_refused_wish_hides_no_way_back(box: BackedUp) -> None:
    def wish(id: str) -> Wish:
        return Wish(id=id, act="restore", at=1.9e9, by="chen", address="", why="x", box="branch",
                    version="1", backup_at=1.0, config=False)
    looked_at(box)
    wishing.ask(box.state_dir, wish("1"))
    wishing.fulfil(box.state_dir, box.document, lambda *_: None, lambda: None)
    wishing.ask(box.state_dir, wish("2"))         # there is no key any more
    done = wishing.fulfil(box.state_dir, box.document, lambda *_: None, lambda: None)
    assert done is not None and done.error
    last = wishing.undo(box.state_dir)
    assert last is not None

    async def act(area: Restoring) -> None:
        found = await ask(area, GetRestore())
        assert found.outcome.error and found.back
        assert found.back_until == last.done_at + restore_area.KEPT_S
        await ask(area, TakeRestoreBack(name="box7", **ASKED))
        assert (await over(area)).wished
        kept = msgspec.json.decode((box.state_dir / "restore" / wishing.WISH).read_bytes(), type=Wish)
        assert (kept.act, kept.box, kept.version, kept.config) == ("take-back", "branch", "1", False)
        await ask(area, CancelRestore())
        area._fit = True
        await area._tidy(found.back_until + 60)
        assert not (await ask(area, GetRestore())).back
    run(box, Bus([]), act)
    assert not list(box.state_dir.rglob("replaced-*"))


class Answers:
    """The bus's client, one after the other: calls that are left, or what went wrong, of trunkd."""

    def __init__(self, said: list[int | str | Exception]) -> None:
        self.said = said

    async def request(self, subject: str, octets: bytes, **_: float) -> Any:
        if not subject.endswith("DrainTrunks"):
            return SimpleNamespace(data=msgspec.json.encode(Done()), headers=None)
        match self.said.pop(0):
            case Exception() as error:
                raise error
            case str() as why:
                return SimpleNamespace(data=msgspec.json.encode({"refused": why}), headers={"Refused": "1"})
            case int() as calls:
                return SimpleNamespace(data=msgspec.json.encode(Drained(calls=calls)), headers=None)


@pytest.mark.parametrize("begin", ["drained", "now"])
def test_a_daemon_that_is_late_may_have_an_emergency_call(box: BackedUp, begin: Any) -> None:
    late, away = nats.errors.TimeoutError(), nats.errors.NoRespondersError()
    starts = [away] * (restore_area.AWAY_TIMES - 1)
    said = Answers([1, late, "trunkd: not now", *starts, late, *starts, 1, *starts, 0])
    token, bus = looked_at(box), client.Bus("boxd", cast(Client, said))

    async def act(area: Restoring) -> None:
        await ask(area, BeginRestore(token=token, name="box7", begin=begin, **ASKED))
        found = await over(area)
        assert found.wished and found.error == ""
    run(box, bus, act)
    assert said.said == []


def test_a_daemon_that_stays_away_has_no_calls(box: BackedUp) -> None:
    said = Answers([1, *[nats.errors.NoRespondersError()] * restore_area.AWAY_TIMES])
    token, bus = looked_at(box), client.Bus("boxd", cast(Client, said))

    async def act(area: Restoring) -> None:
        await ask(area, BeginRestore(token=token, name="box7", **ASKED))
        found = await asyncio.wait_for(over(area), 10)
        assert found.wished and found.error == ""
    run(box, bus, act)
    assert said.said == []


@pytest.mark.parametrize("said, reason", [(b"", "without an answer"), (b'{"type":', "cannot be read")])
def test_a_restart_that_ends_root_before_it_answers_keeps_the_wish(
        box: BackedUp, monkeypatch: pytest.MonkeyPatch, said: bytes, reason: str) -> None:
    token = looked_at(box)

    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        writer.close()

    async def act(area: Restoring) -> None:
        with tempfile.TemporaryDirectory() as folder:                # a socket's path is short
            async with await asyncio.start_unix_server(dies, Path(folder) / SOCKET):
                monkeypatch.setattr(restore_area, "ask", lambda _, verb: asking.ask(Path(folder), verb))
                await ask(area, BeginRestore(token=token, name="box7", **ASKED))
                found = await over(area)
        assert found.wished and reason in found.error
    run(box, Bus([]), act)
    assert wishing.wished(box.state_dir)
