"""boxd itself, killed and started again, holds a real card's relay: the card's time is the test's."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import pytest
from click.testing import CliRunner

from appliance.box.card.area import Cards, _open
from appliance.bus.client import Bus, BusError
from appliance.bus.messages import CardButton, CardState, Event, Fitness, GetCards
from appliance.bus.runner import Context
from appliance.config.schema import CardConfig, Config, SpanConfig
from appliance.launch.cli import main
from firmware import release
from hil_tests.instruments.card import Card

HOLD_S = 20
PATIENCE_S = 60.0                                 # of this machine
LOOK_S = 0.05

T = TypeVar("T", bound=Event)

DOCUMENT = """
spans: [{{name: e1, url: "virtual:/tmp/none/a", side: user, trunk: telco}}]
cards: [{{name: card-1, control: {control}, hold_s: 20, relay: alive}}]
"""


class Box:
    """boxd as a process, on a real bus."""

    def __init__(self, folder: Path, run_dir: Path, control: Path) -> None:
        self.run_dir = run_dir
        document = folder / "branchline.yaml"
        document.write_text(DOCUMENT.format(control=control))
        self._command = [sys.executable, "-m", "appliance.box.daemon", "--config", str(document),
                         "--state-dir", str(folder / "state"), "--run-dir", str(run_dir),
                         "--log-level", "error"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def until(self, true: Callable[[CardState], bool]) -> CardState:
        """What boxd says of its card once that is so."""
        async def asked() -> CardState:
            bus = await Bus.connect(self.run_dir, "webui")
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while True:
                        with contextlib.suppress(BusError):          # it is not up yet
                            (state,) = (await bus.ask(GetCards())).cards
                            if true(state):
                                return state
                        await asyncio.sleep(LOOK_S)
            finally:
                await bus.close()
        return asyncio.run(asked())

    def command(self, *words: str) -> str:
        done = CliRunner().invoke(main, ["card", "--run-dir", str(self.run_dir), *words])
        assert done.exit_code == 0, done.output
        return done.output


@contextmanager
def box_with_card(folder: Path, run_dir: Path) -> Iterator[tuple[Box, Card]]:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far, Card(folder / "card", folder / "flash", near, clock_ms=0) as card:
        box = Box(folder, run_dir, card.control)
        try:
            yield box, card
        finally:
            box.kill()


def renewed(state: CardState) -> bool:
    return state.relay is not None and state.relay.lease_s > HOLD_S - 1


@pytest.mark.need(14)
def test_only_a_kill_that_lasts_gives_the_line_to_the_pbx(tmp_path: Path, bus_server: Path) -> None:
    with box_with_card(tmp_path, bus_server) as (box, card):
        box.start()
        box.until(renewed)
        card.advance(11_000)
        assert card.pins["relay"]
        box.until(renewed)
        box.kill()                                # -9
        card.advance((HOLD_S - 1) * 1000)
        assert card.pins["relay"]
        box.start()
        box.until(renewed)
        card.advance(5_000)
        state = box.until(renewed)
        assert state.relay is not None
        assert (state.relay.energised, state.relay.operations) == (True, 1)
        box.kill()
        card.advance((HOLD_S + 1) * 1000)
        assert not card.pins["relay"]

        box.start()
        box.until(renewed)
        card.advance(10_000)
        assert card.pins["relay"]
        box.until(renewed)
        card.advance(10_000)
        box.command("relay", "card-1", "bypass", "--yes")
        box.until(lambda state: state.bypass)
        advance_until(card, lambda: not card.pins["relay"])
        box.kill()
        box.start()                               # it knows what people wanted
        state = box.until(renewed)
        assert state.bypass
        card.advance(12_000)
        assert not card.pins["relay"]
        assert "the PBX's (by command)" in box.command()


def advance_until(card: Card, true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        card.advance(2)


@pytest.mark.need(19)
def test_people_bring_a_card_new_firmware(tmp_path: Path, bus_server: Path) -> None:
    key, image = tmp_path / "key", tmp_path / "image"
    release.new_key(key)
    (tmp_path / "flash").mkdir()
    (tmp_path / "flash" / "release-key").write_bytes((tmp_path / "key.modulus").read_bytes())
    image.write_bytes(release.sign(b"x" * 3000, "simulated", (1, 0, 0), release.read_key(key)))
    with box_with_card(tmp_path, bus_server) as (box, _):
        box.start()
        box.until(renewed)
        box.command("identify", "card-1")
        assert box.command("crash", "card-1") == "none\n"
        refused = CliRunner().invoke(
            main, ["card", "--run-dir", str(bus_server), "update", "card-1", str(key), "--yes"])
        assert (refused.exit_code, refused.output) == (69, "this is no image of a line card's firmware\n")
        damaged = bytearray(image.read_bytes())
        damaged[100] ^= 1
        image.write_bytes(damaged)
        refused = CliRunner().invoke(
            main, ["card", "--run-dir", str(bus_server), "update", "card-1", str(image), "--yes"])
        assert refused.exit_code == 74
        assert "the signature is not of the key that this card trusts" in refused.output


def test_a_card_that_is_pulled_out_while_it_is_opened_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def flushed(descriptor: int, queue: int) -> None:
        raise termios.error(5, "Input/output error")
    monkeypatch.setattr(termios, "tcflush", flushed)
    near, far = os.openpty()
    with pytest.raises(OSError, match="Input/output error"):
        _open(os.ttyname(far))
    os.close(near)
    os.close(far)


async def test_the_relay_follows_the_fitness_of_the_box(tmp_path: Path, bus_server: Path) -> None:
    """The area on a real bus, in this process."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far, Card(tmp_path / "card", tmp_path / "flash", near, clock_ms=0) as card:
        config = Config(
            spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")],
            cards=[CardConfig(name="card-1", control=str(card.control))])
        bus = await Bus.connect(bus_server, "boxd")
        stop, said = asyncio.Event(), asyncio.Queue[Event]()
        area = Cards(Context("boxd", config, tmp_path, bus_server, bus, stop))
        await bus.hear("boxd", area.hear)
        await bus.hear("boxd", said.put)
        running = asyncio.create_task(area.run(stop))

        async def box_is(state: Literal["ok", "unfit"]) -> None:
            await bus.say(Fitness(at=0.0, state=state, since=0.0, fit=state == "ok", reasons=[]))

        async def heard(kind: type[T], true: Callable[[T], bool]) -> None:
            async with asyncio.timeout(PATIENCE_S):
                while not (isinstance(event := await said.get(), kind) and true(event)):
                    pass

        try:
            await heard(CardState, lambda one: one.relay is not None and one.relay.why == "no lease")
            await box_is("ok")
            await heard(CardState, lambda one: one.relay is not None and one.relay.why == "dwell")
            await asyncio.to_thread(card.advance, 11_000)
            await heard(CardState, lambda one: (
                one.relay is not None and one.relay.energised and not one.alarm))
            stop.set()
            await running
            stop.clear()
            area = Cards(Context("boxd", config, tmp_path, bus_server, bus, stop))       # boxd starts anew
            await bus.hear("boxd", area.hear)
            running = asyncio.create_task(area.run(stop))
            await heard(CardState, lambda one: one.relay is None)
            await heard(CardState, lambda one: one.relay is not None and one.relay.energised)
            for down in (True, False):
                card.pin("button", down)
                await asyncio.to_thread(card.advance, 500)
            while not isinstance(event := await said.get(), CardButton):
                assert not (isinstance(event, CardState) and event.alarm), "nobody has judged the box yet"
            await box_is("unfit")
            await heard(CardState, lambda one: one.alarm)            # so the lease is not renewed any more
            await asyncio.to_thread(card.advance, HOLD_S * 1000 + 100)
            await heard(CardState, lambda one: one.relay is not None and not one.relay.energised)
            card.pin("button", True)
            await asyncio.to_thread(card.advance, 500)
            card.pin("button", False)
            await asyncio.to_thread(card.advance, 500)
            await heard(CardButton, lambda one: one.asked == "identify")
            card.kill()
            await heard(CardState, lambda one: "plug" in one.trouble)
            await asyncio.to_thread(card.plug_in)
            await heard(CardState, lambda one: not one.trouble and one.relay is not None)
        finally:
            stop.set()
            await asyncio.wait_for(running, PATIENCE_S)
            await bus.close()
