"""All of the card that is not the line: what the control port asks (firmware/control.py) is done here."""

from firmware import control
from firmware.linecard.guard import leds
from firmware.linecard.guard.button import Button
from firmware.linecard.guard.contact import Contact
from firmware.linecard.guard.crash import Crash, words_of
from firmware.linecard.guard.kept import Files, Memory
from firmware.linecard.guard.leds import IDENTIFY_S, Led
from firmware.linecard.guard.relay import Relay
from firmware.linecard.guard.sensors import Sensors
from firmware.linecard.guard.session import Session
from firmware.linecard.guard.slots import Record
from firmware.linecard.guard.update import IDLE, Update
from firmware.linecard.hal import BUTTON, CONTACT, LED, RELAY, RELAY_SENSE, since_ms

try:
    from collections.abc import Sequence

    from firmware.linecard.guard.boot import Started
    from firmware.linecard.hal import Hal
    from firmware.linecard.span import Span
except ImportError:                               # MicroPython: annotations are not looked at
    pass

STATE_MS = 1_000
LEDS_MS = 50
LEAVING_MS = 200                                  # for the last answer to be fetched before a reset

_OPERATIONS = "relay"                             # the file of the relay's moves
_IDENTIFY = control.BUTTONS.index("identify")
_RELAY = 1 << control.TROUBLES.index("relay")


class Guard:
    """Made before the parts of the line: it puts the relay where it was before a reset."""

    def __init__(self, hal: "Hal", started: "Started", now_ms: int) -> None:
        self._hal, self._started = hal, started
        self._memory, self._files = Memory(hal.retained), Files(hal.folder)
        self._operations = int.from_bytes(self._files.read(_OPERATIONS), "little")
        self._relay = Relay(hal.pin(RELAY), hal.pin(RELAY_SENSE), self._memory, self._moved, now_ms)
        self._crash = Crash(self._files)
        self._contact = Contact(hal.pin(CONTACT), now_ms)
        self._sensors = Sensors(hal, now_ms)
        self._pressed, self._button = hal.pin(BUTTON), Button(now_ms)
        self._lines: Sequence[Span] = ()
        self._leds = [Led(hal.pin(LED.format(span, "green")), hal.pin(LED.format(span, "red")))
                      for span in range(len(hal.spis))]
        self._update = Update(hal.slots, Record(self._files), started.slot, started.version,
                              hal.hardware, hal.modulus, now_ms)
        self._session = Session(hal.control, len(hal.spis), hal.name, self._take, self._greeted)
        self._says = {
            control.LEASE: self._lease, control.IDENTIFY: self._identify,
            control.CRASH_READ: self._read_crash, control.CRASH_CLEAR: self._clear_crash,
            control.RESET: self._asked_to_reset, control.UPDATE_BEGIN: self._begin,
            control.UPDATE_CHUNK: self._chunk, control.UPDATE_END: self._end,
            control.UPDATE_ACTIVATE: self._activate, control.UPDATE_CONFIRM: self._confirm}
        self._answers = 0                         # the LEASE in force
        self._host_alarm = False
        self._identify_ms = 0                     # for so long still
        self._at_ms = self._second_ms = self._state_ms = self._leds_ms = now_ms
        self._uptime_s = 0
        self._told = -1                           # what the last STATE was about
        self._leaving = ""                        # of control.RESETS
        self._leaving_ms = 0

    def watch(self, lines: "Sequence[Span]") -> None:
        """What the LEDs are about."""
        self._lines = lines

    def poll(self, now_ms: int) -> None:
        elapsed_ms = max(0, since_ms(now_ms, self._at_ms))
        self._at_ms = now_ms
        self._session.poll()
        self._relay.poll(now_ms)
        if self._button.poll(self._pressed(), now_ms) and self._button.asked == _IDENTIFY:
            self._identify_ms = 0 if self._identify_ms else IDENTIFY_S * 1000
        self._identify_ms = max(0, self._identify_ms - elapsed_ms)
        if self._sensors.poll(now_ms):
            self._tell_sensors()
        self._contact.poll(self._host_alarm or not self._relay.lease_ms or self._troubles() != 0, now_ms)
        self._count(now_ms)
        self._light(now_ms)
        if self._update.over(now_ms):
            self._leave("fallback", now_ms)
        self._tell(now_ms)
        self._go(now_ms)

    def crashed(self, error: Exception) -> None:
        """The program ends with this one: keep it. A reset is to follow."""
        self._crash.note("crash", self._uptime_s, words_of(error))
        self._prepare("crash")

    def log(self, level: str, text: str) -> None:
        """A line for the host, if one listens."""
        octets = text.encode()[:control.LOG_OCTETS]
        self._session.say(control.LOG, bytes((control.LEVELS.index(level),)) + octets)

    # What comes from the hardware.

    def _moved(self) -> None:
        self._operations += 1
        try:
            self._files.write(_OPERATIONS, self._operations.to_bytes(4, "little"))
        except OSError as error:
            self.log("error", f"the relay's moves cannot be kept: {error}")

    def _count(self, now_ms: int) -> None:
        while since_ms(now_ms, self._second_ms) >= 1000:
            self._second_ms += 1000
            self._uptime_s += 1
            self._memory.uptime_s = self._uptime_s

    def _light(self, now_ms: int) -> None:
        if since_ms(now_ms, self._leds_ms) < LEDS_MS:
            return
        self._leds_ms = now_ms
        for number, line in enumerate(self._lines):
            self._leds[number].show(leds.colour(
                line.alarms.value, line.tdm.running, not self._relay.energised, self._identify_ms > 0,
                self._button.flashes, self._update.phase != IDLE, now_ms))

    def _troubles(self) -> int:
        return self._sensors.troubles | (_RELAY if self._relay.disagrees else 0)

    # What is told.

    def _greeted(self) -> None:
        self._tell_card()
        self._session.say(control.CRASH, self._crash.packed)
        self._tell_sensors()
        self._told = -1

    def _tell_card(self) -> None:
        hal, started = self._hal, self._started
        self._session.say(control.CARD, control.pack_card(
            started.slot, control.RESETS.index(started.reset), self._memory.starts, self._update.on_trial,
            hal.hardware, hal.serial, started.version_text))

    def _tell_sensors(self) -> None:
        self._session.say(control.SENSORS, control.pack_sensors(
            self._sensors.temperature_centicelsius, self._sensors.supplies_mv))

    def _tell(self, now_ms: int) -> None:
        relay, button, troubles = self._relay, self._button, self._troubles()
        told = ((self._answers & 0xFF) << 8 | button.presses) << 9 | troubles << 6 | self._contact.alarm << 5
        told |= relay.energised << 4 | relay.sense << 2 | relay.why
        if told == self._told and since_ms(now_ms, self._state_ms) < STATE_MS:
            return
        self._told, self._state_ms = told, now_ms
        self._session.say(control.STATE, control.pack_state(
            self._answers, self._uptime_s, relay.lease_ms, troubles, self._contact.alarm, button.asked,
            button.presses, relay.energised, relay.sense, relay.why, self._operations))

    # What the host says.

    def _take(self, kind: int, sequence: int, body: bytes) -> None:
        """What we do not know is a later version's, what is too short nobody's."""
        if kind not in self._says:
            return
        try:
            refusal = self._says[kind](sequence, body)
        except (ValueError, IndexError):
            refusal = f"a packet of {len(body)} octets"
        if kind == control.UPDATE_CHUNK:
            self._tell_update()
        if refusal or kind not in (control.LEASE, control.UPDATE_CHUNK):
            self._session.say(control.ANSWER, control.pack_answer(kind, sequence, refusal))

    def _lease(self, sequence: int, body: bytes) -> str:
        fit, self._host_alarm, bypass, for_ms = control.read_lease(body)
        self._relay.lease(fit, bypass, for_ms)
        self._answers = sequence
        return ""

    def _identify(self, sequence: int, body: bytes) -> str:
        self._identify_ms = (body[0] | body[1] << 8) * 1000
        return ""

    def _read_crash(self, sequence: int, body: bytes) -> str:
        self._session.say(control.CRASH, self._crash.packed)
        return ""

    def _clear_crash(self, sequence: int, body: bytes) -> str:
        self._crash.clear()
        return ""

    def _asked_to_reset(self, sequence: int, body: bytes) -> str:
        self._leave("asked", self._at_ms)
        return ""

    def _begin(self, sequence: int, body: bytes) -> str:
        refusal = self._update.begin(body[0] == 1, body[1:])
        self._tell_update()
        return refusal

    def _chunk(self, sequence: int, body: bytes) -> str:
        if len(body) < 4:
            raise ValueError
        return self._update.chunk(int.from_bytes(body[:4], "little"), body[4:])

    def _end(self, sequence: int, body: bytes) -> str:
        refusal = self._update.end()
        self._tell_update()
        return refusal

    def _activate(self, sequence: int, body: bytes) -> str:
        refusal = self._update.activate()
        if not refusal:
            self._leave("update", self._at_ms)
        return refusal

    def _confirm(self, sequence: int, body: bytes) -> str:
        refusal = self._update.confirm()
        self._tell_card()
        return refusal

    def _tell_update(self) -> None:
        update = self._update
        self._session.say(control.UPDATE, control.pack_update(update.phase, update.offset, update.octets))

    # How it ends.

    def _leave(self, reset: str, now_ms: int) -> None:
        self._leaving, self._leaving_ms = reset, now_ms

    def _go(self, now_ms: int) -> None:
        if self._leaving and since_ms(now_ms, self._leaving_ms) >= LEAVING_MS:
            self._prepare(self._leaving)
            self._hal.reset()

    def _prepare(self, reset: str) -> None:
        self._memory.reset = control.RESETS.index(reset)
        self._relay.save()
