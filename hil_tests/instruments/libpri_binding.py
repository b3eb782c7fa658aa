"""libpri for Python, compiled by cffi once, into build/cffi/ (needs gcc and Debian's libpri-dev).

libpri asks gettimeofday() when its timers are due. The module brings one of its own, which is the system's
until a thread sets another time: hours of timers need not take any. It is libpri's alone, since the module is
loaded with its own symbols first (RTLD_DEEPBIND).
"""
import functools
import hashlib
import importlib.util
import logging
import os
import sys
import sysconfig
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import cffi

from hil_tests.instruments import libpri_services

log = logging.getLogger(__name__)

CACHE = Path(__file__).resolve().parents[2] / "build" / "cffi"
FCS_OCTETS = 2                                    # libpri counts them, whoever makes them

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
#define PRI_EVENT_SERVICE ...
#define PRI_EVENT_SERVICE_ACK ...
#define PRI_EVENT_HOLD_REJ ...
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
""" + libpri_services.CDEF + """
struct timeval { long tv_sec; long tv_usec; ...; };

typedef struct { int channel; ...; } pri_event_restart;
typedef struct { int channel; ...; } pri_event_restart_ack;
typedef struct {
    int channel; int progressmask; char useruserinfo[...]; q931_call *call; struct pri_subcommands *subcmds;
    ...;
} pri_event_ringing;
typedef struct {
    int channel; int progressmask; char useruserinfo[...]; q931_call *call; struct pri_subcommands *subcmds;
    ...;
} pri_event_answer;
typedef struct {
    int channel; int progressmask; int cause; q931_call *call; struct pri_subcommands *subcmds; ...;
} pri_event_proceeding;
typedef struct { int channel; int progressmask; q931_call *call; ...; } pri_event_setup_ack;
typedef struct {
    int channel; int cause; char useruserinfo[...]; q931_call *call; struct pri_subcommands *subcmds; ...;
} pri_event_hangup;
typedef struct { int channel; int info; q931_call *call; ...; } pri_event_notify;
typedef struct { int channel; q931_call *call; char digits[...]; ...; } pri_event_keypad_digit;
typedef struct { int channel; int changestatus; ...; } pri_event_service;
typedef struct { int channel; int changestatus; ...; } pri_event_service_ack;
struct pri_event_hold_rej { int channel; int cause; q931_call *call; ...; };
typedef struct {
    int channel; int callingpres; char callingnum[...]; char callingname[...]; char callednum[...];
    int flexible; int complete; char useruserinfo[...]; char keypad_digits[...];
    struct pri_party_subaddress called_subaddress; struct pri_party_id calling;
    q931_call *call; struct pri_subcommands *subcmds; ...;
} pri_event_ring;
typedef union {
    int e; pri_event_restart restart; pri_event_restart_ack restartack; pri_event_ring ring;
    pri_event_hangup hangup; pri_event_ringing ringing; pri_event_answer answer; pri_event_notify notify;
    pri_event_proceeding proceeding; pri_event_setup_ack setup_ack; pri_event_keypad_digit digit;
    pri_event_service service; pri_event_service_ack service_ack; struct pri_event_hold_rej hold_rej;
    struct pri_event_facility facility; ...;
} pri_event;

typedef int (*pri_io_cb)(struct pri *pri, void *buf, int buflen);
extern "Python" int bench_read(struct pri *, void *, int);
extern "Python" int bench_write(struct pri *, void *, int);
extern "Python" void bench_message(struct pri *, char *);
void bench_set_time(double seconds);
void free(void *);

struct pri *pri_new_cb(int fd, int node, int switchtype, pri_io_cb read, pri_io_cb write, void *userdata);
void *pri_get_userdata(struct pri *);
void pri_set_message(void (*)(struct pri *, char *));
void pri_set_error(void (*)(struct pri *, char *));
void pri_set_debug(struct pri *, int);
void pri_set_overlapdial(struct pri *, int);
void pri_set_inbanddisconnect(struct pri *, unsigned int);
int pri_set_service_message_support(struct pri *, int);
void pri_hangup_fix_enable(struct pri *, int);
void pri_hold_enable(struct pri *, int);
void pri_facility_enable(struct pri *);
int pri_timer2idx(const char *);
int pri_set_timer(struct pri *, int timer, int value);
pri_event *pri_check_event(struct pri *);
struct timeval *pri_schedule_next(struct pri *);
pri_event *pri_schedule_run(struct pri *);
const char *pri_get_version(void);
char *pri_dump_info_str(struct pri *);

q931_call *pri_new_call(struct pri *);
struct pri_sr *pri_sr_new(void);
void pri_sr_free(struct pri_sr *);
int pri_sr_set_channel(struct pri_sr *, int channel, int exclusive, int nonisdn);
int pri_sr_set_bearer(struct pri_sr *, int transmode, int userl1);
int pri_sr_set_called(struct pri_sr *, char *called, int calledplan, int complete);
int pri_sr_set_caller(struct pri_sr *, char *caller, char *callername, int callerplan, int callerpres);
void pri_sr_set_caller_subaddress(struct pri_sr *, const struct pri_party_subaddress *);
void pri_sr_set_called_subaddress(struct pri_sr *, const struct pri_party_subaddress *);
void pri_sr_set_keypad_digits(struct pri_sr *, const char *);
void pri_sr_set_useruser(struct pri_sr *, const char *);
void pri_call_set_useruser(q931_call *, const char *);
int pri_setup(struct pri *, q931_call *, struct pri_sr *);
int pri_information(struct pri *, q931_call *, char digit);
int pri_keypad_facility(struct pri *, q931_call *, const char *digits);
int pri_setup_ack(struct pri *, q931_call *, int channel, int nonisdn, int inband);
int pri_proceeding(struct pri *, q931_call *, int channel, int info);
int pri_acknowledge(struct pri *, q931_call *, int channel, int info);
int pri_progress_with_cause(struct pri *, q931_call *, int channel, int info, int cause);
int pri_answer(struct pri *, q931_call *, int channel, int nonisdn);
int pri_notify(struct pri *, q931_call *, int channel, int info);
int pri_hold(struct pri *, q931_call *);
int pri_hangup(struct pri *, q931_call *, int cause);
void pri_destroycall(struct pri *, q931_call *);
int pri_get_crv(struct pri *, q931_call *, int *callmode);
int pri_reset(struct pri *, int channel);
int pri_maintenance_service(struct pri *, int span, int channel, int changestatus);
"""

_SOURCE = """
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <libpri.h>

static _Thread_local double bench_time;

void bench_set_time(double seconds)
{
    bench_time = seconds;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec system;

    if (bench_time > 0) {
        now->tv_sec = bench_time;
        now->tv_usec = (bench_time - now->tv_sec) * 1e6;
    } else {
        clock_gettime(CLOCK_REALTIME, &system);
        now->tv_sec = system.tv_sec;
        now->tv_usec = system.tv_nsec / 1000;
    }
    return 0;
}
"""


class LibpriError(Exception):
    """libpri cannot be built or refused a call of its API."""


class Port(Protocol):
    """What libpri reads from and writes to."""

    unread: deque[bytes]                          # good frames without FCS

    def sent(self, frame: bytes) -> None: ...

    def said(self, words: str) -> None: ...


@functools.cache
def library() -> Any:
    """The compiled module with `ffi` and `lib`. LibpriError says what is missing when it does not compile."""
    name = f"_bench_libpri_{hashlib.sha256((_CDEF + _SOURCE).encode()).hexdigest()[:16]}"
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


class Clocked:
    """libpri's functions, called at the time of `clock` (seconds, above 0) instead of the system's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lib = clock, library().lib

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._lib, name)
        if isinstance(found, int | library().ffi.CData):      # a constant or a callback
            return found
        return functools.partial(self._call, found)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self._lib.bench_set_time(self._clock())
        try:
            return function(*arguments)
        finally:
            self._lib.bench_set_time(0.0)


def _compile(name: str, built: Path) -> None:
    builder = cffi.FFI()
    builder.cdef(_CDEF)
    builder.set_source(name, _SOURCE, libraries=["pri"])
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
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.setdlopenflags(flags)
    return module


def _port(pri: Any) -> Port:
    port: Port = library().ffi.from_handle(library().lib.pri_get_userdata(pri))
    return port


def _read(pri: Any, buffer: Any, size: int) -> int:
    frames = _port(pri).unread
    if not frames:
        return 0
    frame = frames.popleft()[: size - FCS_OCTETS]
    library().ffi.memmove(buffer, frame, len(frame))
    return len(frame) + FCS_OCTETS


def _write(pri: Any, buffer: Any, size: int) -> int:
    _port(pri).sent(bytes(library().ffi.buffer(buffer, size - FCS_OCTETS)))
    return size


def _message(pri: Any, text: Any) -> None:
    ffi = library().ffi
    words = ffi.string(text).decode("latin-1").rstrip("\n")
    if pri == ffi.NULL:
        log.info("libpri: %s", words)
    else:
        _port(pri).said(words)
