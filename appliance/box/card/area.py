"""boxd's line cards: it holds their relays while the box is fit, hears them, and brings them new firmware."""

import asyncio
import logging
import os
import select
import termios
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import serial

from appliance.box.area import Answers, Area
from appliance.box.backup.durable import write_file
from appliance.box.card.control import CardControl, Pressed, Said
from appliance.box.card.tended import TendedCard, Wellness
from appliance.bus.client import Refused
from appliance.bus.messages import (
    CardButton,
    CardCrash,
    CardList,
    CardState,
    ClearCardCrash,
    Done,
    Event,
    Fitness,
    GetCardCrash,
    GetCards,
    IdentifyCard,
    ResetCard,
    SetRelay,
    SpanState,
    UpdateCard,
)
from appliance.bus.runner import Context
from firmware import control
from firmware.image import ImageError

FILE = "cards.json"                               # in the state folder: cards whose relay people want dropped
SAY_S = 10.0
AGAIN_S = 1.0                                     # between two tries to open a port
READ_OCTETS = 4096
MOST_IMAGE_OCTETS = 1 << 20

log = logging.getLogger(__name__)


class Cards(Area):
    def __init__(self, context: Context) -> None:
        self._context, self._file = context, context.state_dir / FILE
        bypassed = _read(self._file)
        self._cards = {one.name: TendedCard(one, one.name in bypassed) for one in context.config.cards}
        self._card_spans = {one.name for one in context.config.spans if one.url.startswith("card:")}
        self._up: set[str] = set()
        self._wellness = Wellness()
        self._woken = {name: asyncio.Event() for name in self._cards}
        self._said: dict[str, tuple[float, CardState]] = {}
        self.answers: Answers = {
            GetCards: self._get, IdentifyCard: self._identify, SetRelay: self._relay,
            GetCardCrash: self._crash, ClearCardCrash: self._clear, ResetCard: self._reset,
            UpdateCard: self._update}

    async def hear(self, event: Event) -> None:
        match event:
            case Fitness():
                self._wellness = Wellness(event.fit, event.state == "ok", self._now())
                self._wake()
            case SpanState() if event.span in self._card_spans:
                (self._up.add if event.up else self._up.discard)(event.span)

    async def run(self, stop: asyncio.Event) -> None:
        if self._wellness == Wellness():          # nobody has judged the box yet: that is no alarm
            self._wellness = Wellness(well=True, at=self._now())
        ends = asyncio.create_task(stop.wait())
        ends.add_done_callback(lambda _: self._wake())
        async with asyncio.TaskGroup() as parts:
            for name, card in self._cards.items():
                parts.create_task(self._tend(card, self._woken[name], stop))
        await ends

    # Each card: its port is opened, spoken to until it is gone, and opened again.

    async def _tend(self, card: TendedCard, woken: asyncio.Event, stop: asyncio.Event) -> None:
        said = ""
        while not stop.is_set():
            try:
                port = await asyncio.to_thread(_open, card.config.control)
            except OSError as error:
                why = os.strerror(error.errno) if error.errno else str(error)
                card.lost(f"cannot open {card.config.control} ({why}): is the line card plugged in?")
            else:
                try:
                    await self._talk(card, port, woken, stop)
                finally:
                    port.close()
            if stop.is_set():
                return                            # the lease runs on: who starts in time changes nothing
            if card.trouble != said:
                said = card.trouble
                log.warning("card %s: %s", card.config.name, said)
            card.tend(self._wellness, self._up, self._now())
            await self._say(card)
            await self._wait(woken, self._now() + AGAIN_S)

    async def _talk(self, card: TendedCard, port: serial.Serial, woken: asyncio.Event, stop: asyncio.Event
                    ) -> None:
        loop, link = asyncio.get_running_loop(), card.connected(self._now())
        unsent, greeted = b"", False
        loop.add_reader(port.fileno(), woken.set)
        try:
            while not stop.is_set() and not link.trouble:
                try:
                    octets = _received(port)
                    link.receive(octets, self._now())
                    card.tend(self._wellness, self._up, self._now())
                    unsent = _sent(port, unsent + link.take_octets())
                except OSError:
                    link.close(f"{card.config.control} is gone: plug the line card in again")
                    break
                if link.ready and not greeted:
                    greeted = True
                    log.info("card %s: %s %s, firmware %s, started by %s", card.config.name,
                             link.facts.hardware, link.facts.serial, link.facts.version, link.facts.reset)
                await self._events(card, link)
                await self._say(card)
                due = card.next_deadline()
                await self._wait(woken, min(due if due is not None else self._now() + SAY_S,
                                            self._now() + (0.05 if unsent else SAY_S)))
        finally:
            loop.remove_reader(port.fileno())
            card.lost(link.trouble)

    async def _wait(self, woken: asyncio.Event, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await woken.wait()
        except TimeoutError:
            return
        woken.clear()

    async def _events(self, card: TendedCard, link: CardControl) -> None:
        for event in link.take_events():
            match event:
                case Pressed("identify" | "factory-reset" as asked):
                    log.info("card %s: its button: %s", card.config.name, asked)
                    await self._context.bus.say(CardButton(
                        at=time.time(), card=card.config.name, asked=asked))
                case Said(level, text):
                    log.log(logging.getLevelName(level.upper()), "card %s: %s", card.config.name, text)

    async def _say(self, card: TendedCard) -> None:
        """On change of more than what always changes, and every SAY_S."""
        name, now, state = card.config.name, self._now(), card.state(time.time())
        at, before = self._said.get(name, (-SAY_S, None))
        steady = _steady(state)
        if steady == before and now < at + SAY_S:
            return
        if before is not None:
            _log_change(before, state)
        self._said[name] = now, steady
        cards = self._cards.values()
        self._context.facts["cards_away"] = sum(bool(one.trouble) for one in cards)
        self._context.facts["cards_at_pbx"] = sum(
            one.link is None or not one.link.facts.energised for one in cards)
        await self._context.bus.say(state)

    # What people ask.

    async def _get(self, request: GetCards) -> CardList:
        return CardList(cards=[card.state(time.time()) for card in self._cards.values()])

    async def _identify(self, request: IdentifyCard) -> Done:
        seconds = max(0, min(request.for_s, 0xFFFF))
        return await self._asked(request.card, control.IDENTIFY, seconds.to_bytes(2, "little"))

    async def _relay(self, request: SetRelay) -> Done:
        card = self._card(request.card)
        others = {name for name, one in self._cards.items() if one.bypass and one is not card}
        bypassed = others | ({request.card} if request.bypass else set())
        try:
            await asyncio.to_thread(write_file, self._file, msgspec.json.encode(sorted(bypassed)))
        except OSError as error:
            raise Refused(f"{self._file}: {error.strerror}: the relay is as it was") from None
        card.bypass = request.bypass
        log.warning("card %s: the telco line goes to %s, says %s", request.card,
                    "the PBX" if request.bypass else "the box", request.who or "somebody")
        self._wake()
        return Done()

    async def _crash(self, request: GetCardCrash) -> CardCrash:
        await self._asked(request.card, control.CRASH_READ, b"")
        link = self._card(request.card).link
        if link is None or link.facts.crash is None:
            return CardCrash(count=0)
        reset, uptime_s, count, text = link.facts.crash
        return CardCrash(count=count, reset=control.RESETS[reset], uptime_s=uptime_s, text=text)

    async def _clear(self, request: ClearCardCrash) -> Done:
        await self._asked(request.card, control.CRASH_CLEAR, b"")
        return await self._asked(request.card, control.CRASH_READ, b"")

    async def _reset(self, request: ResetCard) -> Done:
        return await self._asked(request.card, control.RESET, b"")

    async def _update(self, request: UpdateCard) -> Done:
        card = self._card(request.card)
        if card.updating is not None and not card.updating.over:
            raise Refused(f"card {request.card}: an update to {card.updating.head.version_text} is under way")
        if len(request.image) > MOST_IMAGE_OCTETS:
            raise Refused(f"{len(request.image)} octets are no image of a line card's firmware")
        self._ready(card)
        try:
            card.update(request.image, request.forced, self._up, self._now())
        except ImageError as error:
            raise Refused(str(error)) from None
        self._wake()
        return Done()

    def _card(self, name: str) -> TendedCard:
        if name not in self._cards:
            raise Refused(f"no card {name!r}, there are {', '.join(self._cards) or 'none'}: see cards in the "
                          "configuration")
        return self._cards[name]

    def _ready(self, card: TendedCard) -> CardControl:
        if card.link is None or not card.link.ready:
            raise Refused(f"card {card.config.name}: {card.trouble or 'it has not answered yet'}")
        return card.link

    async def _asked(self, name: str, kind: int, body: bytes) -> Done:
        card = self._card(name)
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ready(card).ask(kind, body, _once(answered), self._now())
        self._woken[name].set()
        if refusal := await answered:
            raise Refused(f"card {name}: {refusal}")
        return Done()

    def _wake(self) -> None:
        for woken in self._woken.values():
            woken.set()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _once(answered: asyncio.Future[str]) -> Callable[[str], None]:
    def done(refusal: str) -> None:
        if not answered.done():                   # who asked may be gone
            answered.set_result(refusal)
    return done


def _open(device: str) -> serial.Serial:
    """OSError: it cannot be. A SerialException is one, with or without a number."""
    try:
        return serial.Serial(device, 115_200, timeout=0, write_timeout=0, exclusive=True)
    except termios.error as error:                # pulled out while it is opened; pyserial lets it through
        raise OSError(*error.args) from None


def _received(port: serial.Serial) -> bytes:
    """What is there. OSError: the device is gone, which is readable and has nothing."""
    look = select.poll()
    look.register(port.fileno(), select.POLLIN)
    if not look.poll(0):
        return b""
    octets = os.read(port.fileno(), READ_OCTETS)
    if not octets:
        raise OSError
    return octets


def _sent(port: serial.Serial, octets: bytes) -> bytes:
    """What is left. Not by way of Serial.write(), which waits when the port is full."""
    if octets:
        try:
            return octets[os.write(port.fileno(), octets):]
        except BlockingIOError:
            pass
    return octets


def _steady(state: CardState) -> CardState:
    """Without what always changes."""
    relay = state.relay and msgspec.structs.replace(state.relay, lease_s=0.0)
    update = state.update and msgspec.structs.replace(
        state.update, sent_octets=state.update.sent_octets * 20 // max(1, state.update.octets))
    return msgspec.structs.replace(state, at=0.0, relay=relay, update=update, uptime_s=0,
                                   temperature_celsius=None, supplies_mv={})


def _log_change(before: CardState, state: CardState) -> None:
    if state.relay is not None and (before.relay is None or before.relay.energised != state.relay.energised):
        log.warning("card %s: the telco line is at %s (%s)", state.card,
                    "the box" if state.relay.energised else "the PBX", state.relay.why)
    if state.troubles != before.troubles:
        log.warning("card %s: troubles: %s", state.card, ", ".join(state.troubles) or "none")
    if state.update is not None and (before.update is None or before.update.state != state.update.state):
        log.info("card %s: firmware %s: %s %s", state.card, state.update.version, state.update.state,
                 state.update.error)


def _read(path: Path) -> frozenset[str]:
    """Names of cards whose relay people want dropped."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=frozenset[str])
    except FileNotFoundError:
        return frozenset()
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("%s: cannot be read (%s): no relay is held for the PBX by command", path, error)
        return frozenset()
