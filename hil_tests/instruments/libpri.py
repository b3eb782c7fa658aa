"""libpri as an object: D-channel frames in, frames and events out. The far end's signalling is not ours.

libpri_binding.py compiles it, libpri_events.py copies what it tells, libpri_services.py has its supplementary
services. One Controller is used by one thread at a time; several may run side by side.
"""
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from hil_tests.instruments import libpri_events, libpri_services
from hil_tests.instruments.libpri_binding import CACHE, Clocked, LibpriError, library, timer_index
from hil_tests.instruments.libpri_events import Event, Handle

__all__ = ["ANY", "CACHE", "SIDES", "SWITCHES", "Controller", "Event", "Handle", "LibpriError", "library",
           "timer_index"]

ANY = 0xFF                                        # in place of a timeslot: the other end may choose

_REFERENCE_AT, _TYPE_AT = 6, 8                    # in an I frame with a two-octet call reference
_RELEASE_COMPLETE = b"\x5a"
_TO_ORIGINATOR = 0x8000                           # the call reference flag
_CALLS = "Total active-calls:"                    # in libpri's report of itself

SWITCHES = {"euroisdn": "PRI_SWITCH_EUROISDN_E1", "qsig": "PRI_SWITCH_QSIG"}
SIDES = {"network": "PRI_NETWORK", "user": "PRI_CPE"}


class Controller:
    """One D-channel of libpri. While a method runs, `send` gets its frames (no FCS) and `say` its log.

    Layer 2 is started at once and kept up. Methods that take a handle raise LibpriError when libpri refuses.
    `clock` is libpri's in place of the system's, in seconds; one of its own, so that tests need no time.
    `in_band_clearing`: an unanswered call that is cleared with an announcement waits for RELEASE.
    """

    def __init__(self, side: str, switch: str, overlap: bool, send: Callable[[bytes], None],
                 say: Callable[[str], None], debug: bool = False, *, in_band_clearing: bool = False,
                 service_messages: bool = False, clock: Callable[[], float] | None = None) -> None:
        module = library()
        self._ffi, self._lib = module.ffi, Clocked(clock) if clock else module.lib
        self._clock = clock or time.time
        self._send, self._say = send, say
        self.unread: deque[bytes] = deque()
        self._offered: dict[int, Handle] = {}     # SETUP received, nothing sent yet; by call reference
        self._abandoned: list[Event] = []
        self._side = side
        self._handle = self._ffi.new_handle(self)
        self._read_event = libpri_events.readers(self._lib)
        self._pri = self._lib.pri_new_cb(
            -1, getattr(self._lib, SIDES[side]), getattr(self._lib, SWITCHES[switch]),
            self._lib.bench_read, self._lib.bench_write, self._handle)
        if self._pri == self._ffi.NULL:
            raise LibpriError("pri_new_cb: refused")
        if overlap:
            self._lib.pri_set_overlapdial(self._pri, 1)
        if switch == "qsig":
            self._lib.pri_facility_enable(self._pri)         # the calling name travels in it
        if service_messages:
            self._lib.pri_set_service_message_support(self._pri, 1)
        if in_band_clearing:
            self._lib.pri_set_inbanddisconnect(self._pri, 1)
        self._lib.pri_hangup_fix_enable(self._pri, 1)
        self.services = libpri_services.Services(self._ffi, self._lib, self._pri)
        lib = self._lib
        self._lib.pri_set_debug(self._pri, lib.PRI_DEBUG_Q931_ANOMALY | (debug and (
            lib.PRI_DEBUG_Q921_DUMP | lib.PRI_DEBUG_Q921_STATE | lib.PRI_DEBUG_Q931_DUMP
            | lib.PRI_DEBUG_Q931_STATE)))

    def set_timer(self, name: str, value: int) -> None:
        """A timer in ms ("T309") or a counter ("N200"). ValueError when libpri has none of this name."""
        self._done("pri_set_timer", self._lib.pri_set_timer(self._pri, timer_index(name), value))

    # --- frames, timers, events -----------------------------------------------------------------------------

    def receive(self, frames: list[bytes]) -> list[Event]:
        """Feed good frames, in order."""
        events = []
        self.unread.extend(frames)
        while self.unread:                        # a frame may be consumed without an event
            event = self._lib.pri_check_event(self._pri)
            if event != self._ffi.NULL:
                events.append(self._copied(event))
            while self._abandoned:
                abandoned = self._abandoned.pop()
                self.forget(abandoned.handle)
                events.append(abandoned)
        return events

    def sent(self, frame: bytes) -> None:
        """A frame of libpri's. A call given up before we answered ends with RELEASE COMPLETE and no event."""
        if frame[_TYPE_AT:_TYPE_AT + 1] == _RELEASE_COMPLETE and not frame[2] & 1:
            reference = int.from_bytes(frame[_REFERENCE_AT:_TYPE_AT], "big")
            if handle := self._offered.pop(reference ^ _TO_ORIGINATOR, None):
                cause = frame[-1] & 0x7F if len(frame) > _TYPE_AT + 1 else 0
                self._abandoned.append(Event("RELEASE COMPLETE", handle, cause=cause))
        self._send(frame)

    def said(self, words: str) -> None:
        if "invalid call ptr" not in words:       # alive() asks just that
            self._say(words)

    def next_timer_s(self) -> float | None:
        """Seconds until run_timers() is wanted, None when no timer runs."""
        due = self._lib.pri_schedule_next(self._pri)
        if due == self._ffi.NULL:
            return None
        return float(max(0.0, due.tv_sec + due.tv_usec / 1e6 - self._clock()))

    def run_timers(self) -> list[Event]:
        events = []
        while (event := self._lib.pri_schedule_run(self._pri)) != self._ffi.NULL:
            events.append(self._copied(event))
        return events

    def _copied(self, event: Any) -> Event:
        copied = libpri_events.copied(self._ffi, self._lib, self._read_event, event)
        if copied.name == "SETUP":
            self._offered[self._reference(copied.handle)] = copied.handle
        elif copied.handle is not None:
            self._respond(copied.handle)
        return copied

    def _reference(self, handle: Handle) -> int:
        """Without the flag; -1: libpri has freed the call."""
        low = self._ffi.new("int *")              # libpri splits it as GR-303 wants: three bits go here
        high = int(self._lib.pri_get_crv(self._pri, handle, low))
        return -1 if high < 0 else high << 3 | low[0]

    def _respond(self, handle: Handle) -> Handle:
        if self._offered:
            self._offered.pop(self._reference(handle), None)
        return handle

    # --- calls ----------------------------------------------------------------------------------------------

    def setup(self, called: str, calling: str, name: str, timeslot: int, exclusive: bool, complete: bool,
              withheld: bool = False, diverted_by: str = "", user_user: str = "", keypad: str = "",
              subaddresses: tuple[bytes, bytes] = (b"", b"")) -> Handle:
        """`timeslot` may be ANY. `subaddresses`: called and calling, user specified."""
        lib, ffi = self._lib, self._ffi
        network = self._side == "network"
        plan = lib.PRI_LOCAL_ISDN if network else lib.PRI_UNKNOWN
        if network:
            shown = lib.PRES_PROHIB_NETWORK_NUMBER if withheld else lib.PRES_ALLOWED_NETWORK_NUMBER
        else:
            shown = (lib.PRES_PROHIB_USER_NUMBER_NOT_SCREENED if withheld
                     else lib.PRES_ALLOWED_USER_NUMBER_NOT_SCREENED)
        handle = lib.pri_new_call(self._pri)
        if handle == ffi.NULL:
            raise LibpriError("pri_new_call: refused")
        request = lib.pri_sr_new()
        try:
            # libpri keeps these pointers until pri_setup has copied what they show
            texts = [ffi.new("char[]", text.encode("latin-1", "replace"))
                     for text in (called, calling, name, user_user, keypad)]
            lib.pri_sr_set_channel(request, timeslot, exclusive, 0)
            lib.pri_sr_set_bearer(request, lib.PRI_TRANS_CAP_SPEECH, lib.PRI_LAYER_1_ALAW)
            lib.pri_sr_set_called(request, texts[0], plan, complete)
            if calling:
                lib.pri_sr_set_caller(request, texts[1], texts[2] if name else ffi.NULL, plan, shown)
            if user_user:
                lib.pri_sr_set_useruser(request, texts[3])
            if keypad:
                lib.pri_sr_set_keypad_digits(request, texts[4])
            if subaddresses[0]:
                lib.pri_sr_set_called_subaddress(request, self.services.subaddress(subaddresses[0]))
            if subaddresses[1]:
                lib.pri_sr_set_caller_subaddress(request, self.services.subaddress(subaddresses[1]))
            if diverted_by:
                self.services.redirecting(request, diverted_by, lib.PRI_REDIR_FORWARD_ON_NO_REPLY)
            self._done("pri_setup", lib.pri_setup(self._pri, handle, request))
        finally:
            lib.pri_sr_free(request)
        return handle

    def information(self, handle: Handle, digit: str) -> None:
        self._done("pri_information", self._lib.pri_information(self._pri, handle, digit.encode()))

    def setup_acknowledge(self, handle: Handle, timeslot: int, in_band: bool = False) -> None:
        self._done("pri_setup_ack", self._lib.pri_setup_ack(
            self._pri, self._respond(handle), timeslot, 0, in_band))

    def proceeding(self, handle: Handle, timeslot: int) -> None:
        self._done("pri_proceeding", self._lib.pri_proceeding(
            self._pri, self._respond(handle), timeslot, 0))

    def alerting(self, handle: Handle, timeslot: int, in_band: bool) -> None:
        self._done("pri_acknowledge", self._lib.pri_acknowledge(
            self._pri, self._respond(handle), timeslot, in_band))

    def progress(self, handle: Handle, timeslot: int, cause: int) -> None:
        """PROGRESS that says in-band information is there; cause 0: none given."""
        self._done("pri_progress", self._lib.pri_progress_with_cause(
            self._pri, self._respond(handle), timeslot, 1, cause or -1))

    def connect(self, handle: Handle, timeslot: int) -> None:
        self._done("pri_answer", self._lib.pri_answer(
            self._pri, self._respond(handle), timeslot, 0))

    def user_user(self, handle: Handle, text: str) -> None:
        """For the next ALERTING, DISCONNECT or RELEASE of the call."""
        self._lib.pri_call_set_useruser(handle, text.encode("latin-1"))

    def notify(self, handle: Handle, indicator: int) -> None:
        self._done("pri_notify", self._lib.pri_notify(self._pri, handle, 0, indicator))

    def keypad(self, handle: Handle, keys: str) -> None:
        """INFORMATION with a keypad facility."""
        self._done("pri_keypad_facility", self._lib.pri_keypad_facility(self._pri, handle, keys.encode()))

    def hold(self, handle: Handle) -> None:
        self._lib.pri_hold_enable(self._pri, 1)
        self._done("pri_hold", self._lib.pri_hold(self._pri, handle))

    def hang_up(self, handle: Handle, cause: int) -> None:
        """DISCONNECT, RELEASE or RELEASE COMPLETE, by the state. The handle may be gone afterwards."""
        self._done("pri_hangup", self._lib.pri_hangup(self._pri, self._respond(handle), cause))

    def forget(self, handle: Handle) -> None:
        """Drop the call without a message (RESTART was received on its channel)."""
        self._lib.pri_destroycall(self._pri, handle)

    def alive(self, handle: Handle) -> bool:
        """False when libpri has freed the call: some clearings end without an event."""
        return self._reference(handle) >= 0

    @property
    def calls(self) -> int:
        """How many libpri has, those that it forgot to tell of included."""
        report = self._lib.pri_dump_info_str(self._pri)
        words = str(self._ffi.string(report).decode())
        self._lib.free(report)
        return int(words[words.index(_CALLS) + len(_CALLS):].split()[0])

    def restart(self, timeslot: int) -> None:
        """RESTART of one channel (5.5)."""
        self._done("pri_reset", self._lib.pri_reset(self._pri, timeslot))

    def service(self, timeslot: int, status: int) -> None:
        """SERVICE: that becomes of the channel; 0 in service, 1 maintenance, 2 out of service."""
        self._done("pri_maintenance_service",
                   self._lib.pri_maintenance_service(self._pri, 0, timeslot, status))

    def _done(self, what: str, code: int) -> None:
        if code < 0:
            raise LibpriError(f"{what}: refused")
