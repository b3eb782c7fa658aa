"""libpri as an object: D-channel frames in, frames and events out. The far end's signalling is not ours.

The C module is compiled by cffi once, into build/cffi/ (needs gcc and Debian's libpri-dev). One Controller is
used by one thread at a time; several may run side by side. libpri reads the system's clock for its timers.
"""

import functools
import hashlib
import importlib.util
import logging
import os
import sysconfig
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cffi

log = logging.getLogger(__name__)

CACHE = Path(__file__).resolve().parents[2] / "build" / "cffi"

FCS_OCTETS = 2                                    # libpri counts them, whoever makes them
ANY_CHANNEL = -1

_REFERENCE_AT, _TYPE_AT = 6, 8                    # in an I frame with a two-octet call reference
_RELEASE_COMPLETE = b"\x5a"
_TO_ORIGINATOR = 0x8000                           # the call reference flag

SWITCHES = {"euroisdn": "PRI_SWITCH_EUROISDN_E1", "qsig": "PRI_SWITCH_QSIG"}
SIDES = {"network": "PRI_NETWORK", "user": "PRI_CPE"}

_CDEF = """
#define PRI_NETWORK ...
#define PRI_CPE ...
#define PRI_SWITCH_EUROISDN_E1 ...
#define PRI_SWITCH_QSIG ...
#define PRI_DEBUG_Q921_DUMP ...
#define PRI_DEBUG_Q921_STATE ...
#define PRI_DEBUG_Q931_DUMP ...
#define PRI_DEBUG_Q931_STATE ...
#define PRI_DEBUG_Q931_ANOMALY ...
#define PRI_EVENT_DCHAN_UP ...
#define PRI_EVENT_DCHAN_DOWN ...
#define PRI_EVENT_RESTART ...
#define PRI_EVENT_RING ...
#define PRI_EVENT_HANGUP ...
#define PRI_EVENT_RINGING ...
#define PRI_EVENT_ANSWER ...
#define PRI_EVENT_HANGUP_ACK ...
#define PRI_EVENT_RESTART_ACK ...
#define PRI_EVENT_INFO_RECEIVED ...
#define PRI_EVENT_PROCEEDING ...
#define PRI_EVENT_SETUP_ACK ...
#define PRI_EVENT_HANGUP_REQ ...
#define PRI_EVENT_PROGRESS ...
#define PRI_EVENT_KEYPAD_DIGIT ...
#define PRI_UNKNOWN ...
#define PRI_LOCAL_ISDN ...
#define PRES_ALLOWED_NETWORK_NUMBER ...
#define PRES_ALLOWED_USER_NUMBER_NOT_SCREENED ...
#define PRES_PROHIB_NETWORK_NUMBER ...
#define PRES_PROHIB_USER_NUMBER_NOT_SCREENED ...
#define PRI_TRANS_CAP_SPEECH ...
#define PRI_LAYER_1_ALAW ...

struct pri;
struct pri_sr;
typedef struct q931_call q931_call;
struct timeval { long tv_sec; long tv_usec; ...; };

typedef struct { int channel; ...; } pri_event_restart;
typedef struct { int channel; ...; } pri_event_restart_ack;
typedef struct { int channel; int progressmask; q931_call *call; ...; } pri_event_ringing;
typedef struct { int channel; int progressmask; q931_call *call; ...; } pri_event_answer;
typedef struct { int channel; int progressmask; int cause; q931_call *call; ...; } pri_event_proceeding;
typedef struct { int channel; q931_call *call; ...; } pri_event_setup_ack;
typedef struct { int channel; int cause; q931_call *call; ...; } pri_event_hangup;
typedef struct { int channel; q931_call *call; char digits[...]; ...; } pri_event_keypad_digit;
typedef struct {
    int channel; char callingnum[...]; char callingname[...]; char callednum[...]; int flexible; int complete;
    q931_call *call; ...;
} pri_event_ring;
typedef union {
    int e; pri_event_restart restart; pri_event_restart_ack restartack; pri_event_ring ring;
    pri_event_hangup hangup; pri_event_ringing ringing; pri_event_answer answer;
    pri_event_proceeding proceeding; pri_event_setup_ack setup_ack; pri_event_keypad_digit digit; ...;
} pri_event;

typedef int (*pri_io_cb)(struct pri *pri, void *buf, int buflen);
extern "Python" int bench_read(struct pri *, void *, int);
extern "Python" int bench_write(struct pri *, void *, int);
extern "Python" void bench_message(struct pri *, char *);

struct pri *pri_new_cb(int fd, int node, int switchtype, pri_io_cb read, pri_io_cb write, void *userdata);
void *pri_get_userdata(struct pri *);
void pri_set_message(void (*)(struct pri *, char *));
void pri_set_error(void (*)(struct pri *, char *));
void pri_set_debug(struct pri *, int);
void pri_set_overlapdial(struct pri *, int);
void pri_hangup_fix_enable(struct pri *, int);
void pri_facility_enable(struct pri *);
int pri_timer2idx(const char *);
int pri_set_timer(struct pri *, int timer, int value);
pri_event *pri_check_event(struct pri *);
struct timeval *pri_schedule_next(struct pri *);
pri_event *pri_schedule_run(struct pri *);
const char *pri_get_version(void);

q931_call *pri_new_call(struct pri *);
struct pri_sr *pri_sr_new(void);
void pri_sr_free(struct pri_sr *);
int pri_sr_set_channel(struct pri_sr *, int channel, int exclusive, int nonisdn);
int pri_sr_set_bearer(struct pri_sr *, int transmode, int userl1);
int pri_sr_set_called(struct pri_sr *, char *called, int calledplan, int complete);
int pri_sr_set_caller(struct pri_sr *, char *caller, char *callername, int callerplan, int callerpres);
int pri_setup(struct pri *, q931_call *, struct pri_sr *);
int pri_information(struct pri *, q931_call *, char digit);
int pri_setup_ack(struct pri *, q931_call *, int channel, int nonisdn, int inband);
int pri_proceeding(struct pri *, q931_call *, int channel, int info);
int pri_acknowledge(struct pri *, q931_call *, int channel, int info);
int pri_progress_with_cause(struct pri *, q931_call *, int channel, int info, int cause);
int pri_answer(struct pri *, q931_call *, int channel, int nonisdn);
int pri_hangup(struct pri *, q931_call *, int cause);
void pri_destroycall(struct pri *, q931_call *);
int pri_get_crv(struct pri *, q931_call *, int *callmode);
int pri_reset(struct pri *, int channel);
"""

Handle = Any                                      # a q931_call pointer: hashable, compares by address


@dataclass(frozen=True, slots=True)
class Event:
    """One libpri event, copied out of its static record. `name` is the message it stands for."""

    name: str
    handle: Handle = None
    timeslot: int = 0                             # 0: none or any
    cause: int = 0                                # 0: none was given
    called: str = ""                              # INFORMATION: only the new digits
    calling: str = ""
    calling_name: str = ""
    complete: bool = True
    flexible: bool = False                        # another channel would do
    in_band: bool = False                         # progress indicator 1 or 8: something can be heard


class LibpriError(Exception):
    """libpri cannot be built or refused a call of its API."""


@functools.cache
def library() -> Any:
    """The compiled module with `ffi` and `lib`. LibpriError says what is missing when it does not compile."""
    name = f"_bench_libpri_{hashlib.sha256(_CDEF.encode()).hexdigest()[:16]}"
    built = CACHE / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    if not built.exists():
        _compile(name, built)
    module = _import(name, built)
    module.ffi.def_extern("bench_read", error=-1)(_read)
    module.ffi.def_extern("bench_write", error=-1)(_write)
    module.ffi.def_extern("bench_message")(_message)
    module.lib.pri_set_message(module.lib.bench_message)
    module.lib.pri_set_error(module.lib.bench_message)
    return module


def timer_index(name: str) -> int:
    """libpri's number of a timer or counter. ValueError when it has none of this name."""
    index = int(library().lib.pri_timer2idx(name.encode()))
    if index < 0:
        raise ValueError(f"libpri has no timer or counter {name!r}")
    return index


def _compile(name: str, built: Path) -> None:
    builder = cffi.FFI()
    builder.cdef(_CDEF)
    builder.set_source(name, "#include <sys/time.h>\n#include <libpri.h>", libraries=["pri"])
    built.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:     # two runs may compile at the same time
        try:
            os.replace(builder.compile(tmpdir=folder), built)
        except cffi.VerificationError as error:
            raise LibpriError(
                f"libpri: no binding, install gcc, python3-dev and libpri-dev: {error}") from None


def _import(name: str, built: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, built)
    if spec is None or spec.loader is None:
        raise LibpriError(f"{built}: not a module, delete it and try again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _controller(pri: Any) -> "Controller":
    ffi = library().ffi
    controller: Controller = ffi.from_handle(library().lib.pri_get_userdata(pri))
    return controller


def _read(pri: Any, buffer: Any, size: int) -> int:
    frames = _controller(pri).unread
    if not frames:
        return 0
    frame = frames.popleft()[: size - FCS_OCTETS]
    library().ffi.memmove(buffer, frame, len(frame))
    return len(frame) + FCS_OCTETS


def _write(pri: Any, buffer: Any, size: int) -> int:
    _controller(pri).sent(bytes(library().ffi.buffer(buffer, size - FCS_OCTETS)))
    return size


def _message(pri: Any, text: Any) -> None:
    ffi = library().ffi
    words = ffi.string(text).decode("latin-1").rstrip("\n")
    if pri == ffi.NULL:
        log.info("libpri: %s", words)
    else:
        _controller(pri).said(words)


class Controller:
    """One D-channel of libpri. While a method runs, `send` gets its frames (no FCS) and `say` its log.

    Layer 2 is started at once and kept up. Methods that take a handle raise LibpriError when libpri refuses.
    """

    def __init__(self, side: str, switch: str, overlap: bool, send: Callable[[bytes], None],
                 say: Callable[[str], None], debug: bool = False) -> None:
        module = library()
        self._ffi, self._lib = module.ffi, module.lib
        self._send, self._say = send, say
        self.unread: deque[bytes] = deque()
        self._offered: dict[int, Handle] = {}     # SETUP received, nothing sent yet; by call reference
        self._abandoned: list[Event] = []
        self._side = side
        self._handle = self._ffi.new_handle(self)
        self._read_event = _readers(self._lib)
        self._pri = self._lib.pri_new_cb(
            -1, getattr(self._lib, SIDES[side]), getattr(self._lib, SWITCHES[switch]),
            self._lib.bench_read, self._lib.bench_write, self._handle)
        if self._pri == self._ffi.NULL:
            raise LibpriError("pri_new_cb: refused")
        if overlap:
            self._lib.pri_set_overlapdial(self._pri, 1)
        if switch == "qsig":
            self._lib.pri_facility_enable(self._pri)         # the calling name travels in it
        self._lib.pri_hangup_fix_enable(self._pri, 1)
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
        return float(max(0.0, due.tv_sec + due.tv_usec / 1e6 - time.time()))

    def run_timers(self) -> list[Event]:
        events = []
        while (event := self._lib.pri_schedule_run(self._pri)) != self._ffi.NULL:
            events.append(self._copied(event))
        return events

    def _copied(self, event: Any) -> Event:
        name, read = self._read_event.get(event.e, ("", _nothing))
        if not name:
            return Event(f"libpri event {event.e}")
        copied = Event(name, **read(self._ffi, event))
        if name == "SETUP":
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
              withheld: bool = False) -> Handle:
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
            texts = [ffi.new("char[]", text.encode("latin-1", "replace")) for text in (called, calling, name)]
            lib.pri_sr_set_channel(request, timeslot, exclusive, 0)
            lib.pri_sr_set_bearer(request, lib.PRI_TRANS_CAP_SPEECH, lib.PRI_LAYER_1_ALAW)
            lib.pri_sr_set_called(request, texts[0], plan, complete)
            if calling:
                lib.pri_sr_set_caller(request, texts[1], texts[2] if name else ffi.NULL, plan, shown)
            self._done("pri_setup", lib.pri_setup(self._pri, handle, request))
        finally:
            lib.pri_sr_free(request)
        return handle

    def information(self, handle: Handle, digit: str) -> None:
        self._done("pri_information", self._lib.pri_information(self._pri, handle, digit.encode()))

    def setup_acknowledge(self, handle: Handle, timeslot: int) -> None:
        self._done("pri_setup_ack", self._lib.pri_setup_ack(
            self._pri, self._respond(handle), timeslot, 0, 0))

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

    def hang_up(self, handle: Handle, cause: int) -> None:
        """DISCONNECT, RELEASE or RELEASE COMPLETE, by the state. The handle may be gone afterwards."""
        self._done("pri_hangup", self._lib.pri_hangup(self._pri, self._respond(handle), cause))

    def forget(self, handle: Handle) -> None:
        """Drop the call without a message (RESTART was received on its channel)."""
        self._lib.pri_destroycall(self._pri, handle)

    def alive(self, handle: Handle) -> bool:
        """False when libpri has freed the call: some clearings end without an event."""
        return self._reference(handle) >= 0

    def restart(self, timeslot: int) -> None:
        """RESTART of one channel (5.5)."""
        self._done("pri_reset", self._lib.pri_reset(self._pri, timeslot))

    def _done(self, what: str, code: int) -> None:
        if code < 0:
            raise LibpriError(f"{what}: refused")


Reader = Callable[[Any, Any], dict[str, Any]]


def _readers(lib: Any) -> dict[int, tuple[str, Reader]]:
    """libpri's event number -> the message it stands for, and what to copy."""
    return {
        lib.PRI_EVENT_DCHAN_UP: ("LINK UP", _nothing),
        lib.PRI_EVENT_DCHAN_DOWN: ("LINK DOWN", _nothing),
        lib.PRI_EVENT_RESTART: ("RESTART", lambda _, event: {"timeslot": _timeslot(event.restart.channel)}),
        lib.PRI_EVENT_RESTART_ACK: (
            "RESTART ACK", lambda _, event: {"timeslot": _timeslot(event.restartack.channel)}),
        lib.PRI_EVENT_RING: ("SETUP", _ring),
        lib.PRI_EVENT_INFO_RECEIVED: ("INFORMATION", _ring),
        lib.PRI_EVENT_KEYPAD_DIGIT: ("KEYPAD", _keypad),
        lib.PRI_EVENT_SETUP_ACK: ("SETUP ACK", lambda _, event: _of_call(event.setup_ack)),
        lib.PRI_EVENT_PROCEEDING: ("PROCEEDING", lambda _, event: _of_call(event.proceeding)),
        lib.PRI_EVENT_PROGRESS: ("PROGRESS", lambda _, event: _of_call(event.proceeding)),
        lib.PRI_EVENT_RINGING: ("ALERTING", lambda _, event: _of_call(event.ringing)),
        lib.PRI_EVENT_ANSWER: ("CONNECT", lambda _, event: _of_call(event.answer)),
        lib.PRI_EVENT_HANGUP_REQ: ("DISCONNECT", _clearing),
        lib.PRI_EVENT_HANGUP: ("RELEASE", _clearing),
        lib.PRI_EVENT_HANGUP_ACK: ("RELEASE COMPLETE", _clearing),
    }


def _nothing(ffi: Any, event: Any) -> dict[str, Any]:
    return {}


def _of_call(record: Any) -> dict[str, Any]:
    mask = getattr(record, "progressmask", 0)     # bits 0 and 3: progress descriptions 1 and 8
    return {"handle": record.call, "timeslot": _timeslot(record.channel), "in_band": bool(mask & 0b1001)}


def _clearing(ffi: Any, event: Any) -> dict[str, Any]:
    record = event.hangup
    return {"handle": record.call, "timeslot": _timeslot(record.channel), "cause": max(0, record.cause)}


def _keypad(ffi: Any, event: Any) -> dict[str, Any]:
    record = event.digit
    return {"handle": record.call, "timeslot": _timeslot(record.channel), "called": _text(ffi, record.digits)}


def _ring(ffi: Any, event: Any) -> dict[str, Any]:
    record = event.ring
    return {
        "handle": record.call, "timeslot": _timeslot(record.channel), "called": _text(ffi, record.callednum),
        "calling": _text(ffi, record.callingnum), "calling_name": _text(ffi, record.callingname),
        "complete": bool(record.complete), "flexible": bool(record.flexible),
    }


def _text(ffi: Any, characters: Any) -> str:
    return str(ffi.string(characters).decode("latin-1"))


def _timeslot(channel: int) -> int:
    """The timeslot of libpri's channel word (low octet; 0xFF and -1: any)."""
    return 0 if channel == ANY_CHANNEL or channel & 0xFF == 0xFF else channel & 0x7F
