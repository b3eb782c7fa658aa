"""The board, as boxd tends it: inputs as they change, figures every 10 s, lights, the watchdog."""

import asyncio
import logging
import time

import board
from appliance.box.area import Answers, Area
from appliance.box.board.lights import BLINK_S, Panel
from appliance.box.board.parts import Figures, Input, Parts
from appliance.box.board.watchdog import Watchdog
from appliance.bus.client import Refused
from appliance.bus.messages import (
    Done,
    Event,
    Fitness,
    GetHardware,
    Hardware,
    HardwareReply,
    Identify,
)
from appliance.bus.runner import Context

SAY_S = 10.0
IDENTIFY_S = 60.0                                 # what a short press of the button begins, or ends
MOST_IDENTIFY_S = 3600.0
SHORT_PRESS_S = (0.03, 3.0)                       # shorter is the contact's bouncing
HEARD_S = 30.0                                    # boxd is well: it heard its own Fitness within
FEEDS = 4                                         # in the watchdog's time

log = logging.getLogger(__name__)


class Tended(Area):
    """The board of this box; on a laptop there is none, and it says so."""

    def __init__(self, context: Context, parts: Parts | None, trouble: str = "") -> None:
        self._context, self._parts = context, parts
        self._trouble = {"board": trouble} if trouble else {}
        self._inputs: dict[str, bool] = {}
        self._figures = Figures()
        self._pressed_at: float | None = None
        self._panel, self._lit = Panel(), dict[str, bool]()
        self._watchdog: Watchdog | None = None
        self._well_at = 0.0                       # of the loop's time: boxd heard its own Fitness
        self._changed, self._show = asyncio.Event(), asyncio.Event()
        self.answers: Answers = {GetHardware: self._get, Identify: self._identify}

    @classmethod
    def of_this_box(cls, context: Context) -> "Tended":
        try:
            description = board.of_this_box()
        except board.BoardError as error:
            log.error("%s", error)
            return cls(context, None, str(error))
        return cls(context, None if description is None else Parts(description))

    async def hear(self, event: Event) -> None:
        if isinstance(event, Fitness):
            self._well_at = asyncio.get_running_loop().time()
            self._panel.state, self._panel.powering_off = event.state, event.powering_off
            self._show.set()

    async def run(self, stop: asyncio.Event) -> None:
        if self._parts is None:
            await self._context.bus.say(self.hardware())
            await stop.wait()
            return
        loop = asyncio.get_running_loop()
        for name, line in self._parts.inputs.items():
            try:
                self._inputs[name] = line.read()
            except OSError as error:
                self._trouble[name] = str(error)
            else:
                loop.add_reader(line.fd, self._edge, name, line)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._measure(self._parts, stop))
                both.create_task(self._tend(self._parts, stop))
        finally:
            for line in self._parts.inputs.values():
                loop.remove_reader(line.fd)
            self._parts.close()

    def hardware(self) -> Hardware:
        """As of now."""
        if self._parts is None:
            return Hardware(at=time.time(), board="", trouble=self._trouble)
        figures, identity = self._figures, self._figures.identity
        return Hardware(
            at=time.time(), board=self._parts.description.id, name=self._parts.description.name,
            serial=identity.serial if identity else "", revision=identity.revision if identity else "",
            inputs=dict(self._inputs), readings=figures.readings,
            watchdog_s=self._watchdog.timeout_s if self._watchdog else 0,
            trouble={**self._parts.trouble, **self._trouble, **figures.trouble})

    async def _measure(self, parts: Parts, stop: asyncio.Event) -> None:
        """Figures every SAY_S; said then, and when an input changed."""
        loop = asyncio.get_running_loop()
        due, told = loop.time(), dict[str, str]()
        while not stop.is_set():
            self._changed.clear()
            if loop.time() >= due:
                self._figures = await asyncio.to_thread(parts.measure)
                due = loop.time() + SAY_S
            hardware = self.hardware()
            for part, why in hardware.trouble.items():
                if told.get(part) != why:
                    log.warning("board: %s: %s", part, why)
            told = hardware.trouble
            await self._context.bus.say(hardware)
            await _until(stop, self._changed, due)

    async def _tend(self, parts: Parts, stop: asyncio.Event) -> None:
        """Lights and the watchdog, which is stopped only when the end is in order."""
        loop = asyncio.get_running_loop()
        feed_at = self._well_at = loop.time()
        feed_s = self._arm(parts)
        while not stop.is_set():
            self._show.clear()
            now = loop.time()
            self._light(parts, self._panel.shows(now))
            if self._watchdog is not None and now >= feed_at and now < self._well_at + HEARD_S:
                try:
                    self._watchdog.feed()
                except OSError as error:          # it bites if that is so for long: not at once
                    self._trouble["watchdog"] = str(error)
                feed_at = now + feed_s
            await _until(stop, self._show, now + (BLINK_S if self._panel.blinks(now) else feed_s))
        self._light(parts, dict.fromkeys(parts.lights, False))
        if self._watchdog is not None:
            self._watchdog.disarm()

    def _arm(self, parts: Parts) -> float:
        """How often to feed it."""
        if (wanted := parts.description.watchdog) is not None:
            try:
                self._watchdog = Watchdog(wanted.device, wanted.timeout_s)
                return min(self._watchdog.timeout_s / FEEDS, HEARD_S / FEEDS)
            except OSError as error:
                self._trouble["watchdog"] = str(error)
        return HEARD_S / FEEDS

    def _light(self, parts: Parts, shows: dict[str, bool]) -> None:
        for name, light in parts.lights.items():
            if shows[name] != self._lit.get(name):
                try:
                    light.write(shows[name])
                except OSError as error:          # calls do not end because a light does
                    self._trouble[name] = str(error)
                else:
                    self._lit[name] = shows[name]
                    self._trouble.pop(name, None)

    def _edge(self, name: str, line: Input) -> None:
        try:
            line.read_event()
            active = line.read()
        except OSError as error:                  # what it was last is not what it is: nobody goes by it
            asyncio.get_running_loop().remove_reader(line.fd)
            self._trouble[name] = str(error)
            self._inputs.pop(name, None)
            self._changed.set()
            return
        if active == self._inputs[name]:
            return
        self._inputs[name] = active
        if name == "button":
            self._button(active)
        else:
            log.warning("board: %s: %s", name.replace("_", " "), "yes" if active else "no")
        self._changed.set()

    def _button(self, pressed: bool) -> None:
        """A short press lets the box say where it is, or ends that."""
        now = asyncio.get_running_loop().time()
        if pressed:
            self._pressed_at = now
            return
        held_s, self._pressed_at = now - (self._pressed_at or now), None
        if SHORT_PRESS_S[0] <= held_s < SHORT_PRESS_S[1]:
            self._panel.identify(0 if self._panel.identifying(now) else IDENTIFY_S, now)
            self._show.set()

    async def _get(self, request: GetHardware) -> HardwareReply:
        return HardwareReply(hardware=self.hardware())

    async def _identify(self, request: Identify) -> Done:
        if self._parts is None or "identify" not in self._parts.lights:
            raise Refused("this box has no light to identify it by")
        if not 0 <= request.for_s <= MOST_IDENTIFY_S:
            raise Refused(f"identify: {request.for_s:g} s is not within 0 to {MOST_IDENTIFY_S:g}")
        self._panel.identify(request.for_s, asyncio.get_running_loop().time())
        self._show.set()
        return Done()


async def _until(stop: asyncio.Event, news: asyncio.Event, deadline: float) -> None:
    """Any of the three."""
    waits = [asyncio.create_task(event.wait()) for event in (stop, news)]
    try:
        left_s = deadline - asyncio.get_running_loop().time()
        await asyncio.wait(waits, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
