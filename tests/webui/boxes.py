"""Boxes in states that a test wants: an update as its rehearsal goes, a board with its card."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from appliance.box.update.area import _told
from appliance.box.update.driving import Driving, Progress
from appliance.bus.messages import (
    CardRelay,
    CardState,
    Fitness,
    FitnessReason,
    Hardware,
    Reading,
    UpdateReply,
    UpdateState,
    WallClock,
)
from tests.box.updating import Box, Shelf
from tests.webui.facts import Branch

RELEASE = """VERSION=1.0
BUILT=2026-03-02T08:00:00Z
COMPATIBLE=branchline-pc
COMMIT=4df0eb2
KERNEL=6.1.0-32
KEYS=test
"""


class Rehearsed(Box):
    """What boxd would say while the update of tests/box/updating.py goes on, each saying once."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.said: list[UpdateReply] = []
        super().__init__(*args, **more)

    def _boxd(self) -> Driving:
        return Driving(Shelf(self.folder, self.power, self.phases), self, self, self, self.config,
                       self.contents[self.booted], self._note)

    async def fetch(self, source: str, progress: Progress) -> Path:
        progress(1.0, f"fetches {source}")        # as appliance.box.update.fetching says it
        return Path(source)

    def _note(self) -> None:
        reply = told(self.driving)
        if not self.said or replace(self.said[-1].state, at=0.0) != replace(reply.state, at=0.0):
            self.said.append(reply)


def told(driving: Driving) -> UpdateReply:
    """As boxd answers GetUpdate."""
    where, update = driving.standing, driving.book.update
    state = UpdateState(at=time.time(), version=driving.version, slot=where.booted, confirmed=where.confirmed,
                        trial=where.trial, unusable=where.unusable, saying=driving.saying)
    return UpdateReply(state=state if update is None else _told(state, driving, update),
                       history=driving.book.history)


def rehearsed(folder: Path, new: str = "good") -> list[UpdateReply]:
    """What boxd would have said. In a thread of its own: the browser's has an event loop already."""
    box = Rehearsed(folder, new)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(box.live).result()
    return box.said


def installed(branch: Branch) -> None:
    """A box on a compute module with its line card, warm, and without its old PBX."""
    now = time.time()
    warm = FitnessReason(
        code="warm", about="board", state="degraded", since=now - 400, detail="62 °C",
        text={"en": "board is warm", "zh": "主板 温度偏高"},
        action={"en": "look at the fan, at dust and at the room", "zh": "请检查风扇、灰尘与机房温度"})
    branch.fitness = Fitness(at=now, state="degraded", since=now - 400, fit=True, reasons=[warm])
    branch.hardware = Hardware(
        at=now, board="cm", name="Compute module carrier", serial="BL-0001", revision="B",
        inputs={"on_battery": False, "power_fail": False, "relay": True}, watchdog_s=30,
        readings=[Reading(name="board", unit="celsius", value=62.0, low=60.0, high=75.0),
                  Reading(name="fan", unit="rpm", value=4200.0, low=800.0)])
    branch.cards = [CardState(
        at=now, card="card1", device="/dev/linecard", hardware="reference card B", serial="LC-17",
        version="1.2.0", slot="a", reset="power-up", temperature_celsius=44.5,
        supplies_mv={"usb": 5021, "line": 3297}, relay=CardRelay(
            energised=True, sense="box", why="leased", lease_s=20.0, operations=6))]
    branch.clock = WallClock(at=now, source="rtc", since=now - 900, sentence="no NTP", rtc_offset_s=0.4,
                             line_offset_s=12.0)


def unfit(branch: Branch) -> None:
    """The same when trunkd has died: the relay has let go."""
    now = time.time()
    reason = FitnessReason(
        code="call-daemon", about="trunkd", state="unfit", since=now - 31,
        text={"en": "trunkd is down: no new call is served", "zh": "trunkd 已停止：无法接听新来电"},
        action={"en": "look at its log: `journalctl -u branchline-trunkd`",
                "zh": "请查看其日志：`journalctl -u branchline-trunkd`"})
    branch.fitness = Fitness(at=now, state="unfit", since=now - 31, fit=False,
                             reasons=[reason, *branch.fitness.reasons])
    relay = CardRelay(energised=False, sense="joined", why="no lease", lease_s=0.0, operations=7)
    branch.cards = [replace(branch.cards[0], relay=relay, troubles=["temperature"], crashes=1)]
