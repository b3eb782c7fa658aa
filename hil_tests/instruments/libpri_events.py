"""What libpri tells its application, copied out of its static records."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil_tests.instruments.libpri_services import Told, told

ANY_CHANNEL = -1

Handle = Any                                      # a q931_call pointer: hashable, compares by address
Reader = Callable[[Any, Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """One libpri event. `name` is the message it stands for."""

    name: str
    handle: Handle = None
    timeslot: int = 0                             # 0: none or any
    cause: int = 0                                # 0: none was given
    called: str = ""                              # INFORMATION, KEYPAD: only the new digits
    calling: str = ""
    calling_name: str = ""
    presentation: int = 0                         # of the calling number: 0 allowed, 1 restricted
    complete: bool = True
    flexible: bool = False                        # another channel would do
    in_band: bool = False                         # progress indicator 1 or 8: something can be heard
    user_user: str = ""
    keypad: str = ""                              # of a SETUP
    subaddresses: tuple[bytes, bytes] = (b"", b"")        # called, calling
    indicator: int = 0                            # NOTIFY: its description; SERVICE: the channel's status
    services: tuple[Told, ...] = ()               # of supplementary services


def copied(ffi: Any, lib: Any, readers: dict[int, tuple[str, Reader]], event: Any) -> Event:
    name, read = readers.get(event.e, ("", _nothing))
    if not name:
        return Event(f"libpri event {event.e}")
    member = _SUBCOMMANDS_OF.get(name)
    services = () if member is None else told(ffi, lib, getattr(event, member).subcmds)
    return Event(name, **read(ffi, event), services=services)


_SUBCOMMANDS_OF = {                               # the member of libpri's union that has them
    "SETUP": "ring", "PROCEEDING": "proceeding", "PROGRESS": "proceeding", "ALERTING": "ringing",
    "CONNECT": "answer", "FACILITY": "facility", "DISCONNECT": "hangup", "RELEASE": "hangup",
    "RELEASE COMPLETE": "hangup"}


def readers(lib: Any) -> dict[int, tuple[str, Reader]]:
    """libpri's event number -> the message it stands for, and what to copy."""
    return {
        lib.PRI_EVENT_DCHAN_UP: ("LINK UP", _nothing),
        lib.PRI_EVENT_DCHAN_DOWN: ("LINK DOWN", _nothing),
        lib.PRI_EVENT_RESTART: ("RESTART", lambda _, event: {"timeslot": _timeslot(event.restart.channel)}),
        lib.PRI_EVENT_RESTART_ACK: (
            "RESTART ACK", lambda _, event: {"timeslot": _timeslot(event.restartack.channel)}),
        lib.PRI_EVENT_SERVICE: ("SERVICE", lambda _, event: _status(event.service)),
        lib.PRI_EVENT_SERVICE_ACK: ("SERVICE ACK", lambda _, event: _status(event.service_ack)),
        lib.PRI_EVENT_RING: ("SETUP", _ring),
        lib.PRI_EVENT_INFO_RECEIVED: ("INFORMATION", _digits),
        lib.PRI_EVENT_KEYPAD_DIGIT: ("KEYPAD", _keypad),
        lib.PRI_EVENT_SETUP_ACK: ("SETUP ACK", lambda ffi, event: _of_call(ffi, event.setup_ack)),
        lib.PRI_EVENT_PROCEEDING: ("PROCEEDING", lambda ffi, event: _of_call(ffi, event.proceeding)),
        lib.PRI_EVENT_PROGRESS: ("PROGRESS", _progress),
        lib.PRI_EVENT_RINGING: ("ALERTING", lambda ffi, event: _of_call(ffi, event.ringing)),
        lib.PRI_EVENT_ANSWER: ("CONNECT", lambda ffi, event: _of_call(ffi, event.answer)),
        lib.PRI_EVENT_FACILITY: ("FACILITY", lambda ffi, event: _of_call(ffi, event.facility)),
        lib.PRI_EVENT_NOTIFY: ("NOTIFY", _notification),
        lib.PRI_EVENT_HOLD_REJ: ("HOLD REJECT", _hold_rejected),
        lib.PRI_EVENT_HANGUP_REQ: ("DISCONNECT", _clearing),
        lib.PRI_EVENT_HANGUP: ("RELEASE", _clearing),
        lib.PRI_EVENT_HANGUP_ACK: ("RELEASE COMPLETE", _clearing),
    }


def _nothing(ffi: Any, event: Any) -> dict[str, Any]:
    return {}


def _of_call(ffi: Any, record: Any) -> dict[str, Any]:
    mask = getattr(record, "progressmask", 0)     # bits 0 and 3: progress descriptions 1 and 8
    said = getattr(record, "useruserinfo", None)
    return {"handle": record.call, "timeslot": _timeslot(record.channel), "in_band": bool(mask & 0b1001),
            "user_user": "" if said is None else _text(ffi, said)}


def _progress(ffi: Any, event: Any) -> dict[str, Any]:
    return {**_of_call(ffi, event.proceeding), "cause": max(0, event.proceeding.cause)}


def _clearing(ffi: Any, event: Any) -> dict[str, Any]:
    return {**_of_call(ffi, event.hangup), "cause": max(0, event.hangup.cause)}


def _notification(ffi: Any, event: Any) -> dict[str, Any]:
    return {**_of_call(ffi, event.notify), "indicator": event.notify.info}


def _hold_rejected(ffi: Any, event: Any) -> dict[str, Any]:
    return {**_of_call(ffi, event.hold_rej), "cause": event.hold_rej.cause}


def _status(record: Any) -> dict[str, Any]:
    return {"timeslot": _timeslot(record.channel), "indicator": record.changestatus}


def _keypad(ffi: Any, event: Any) -> dict[str, Any]:
    return {**_of_call(ffi, event.digit), "called": _text(ffi, event.digit.digits)}


def _digits(ffi: Any, event: Any) -> dict[str, Any]:
    record = event.ring                           # its other fields are an earlier event's
    return {"handle": record.call, "timeslot": _timeslot(record.channel),
            "called": _text(ffi, record.callednum), "complete": bool(record.complete)}


def _ring(ffi: Any, event: Any) -> dict[str, Any]:
    record = event.ring
    return {
        **_digits(ffi, event), "calling": _text(ffi, record.callingnum),
        "calling_name": _text(ffi, record.callingname), "presentation": record.callingpres >> 5 & 3,
        "flexible": bool(record.flexible),
        "user_user": _text(ffi, record.useruserinfo), "keypad": _text(ffi, record.keypad_digits),
        "subaddresses": (_subaddress(ffi, record.called_subaddress),
                         _subaddress(ffi, record.calling.subaddress)),
    }


def _subaddress(ffi: Any, subaddress: Any) -> bytes:
    return bytes(ffi.buffer(subaddress.data, subaddress.length)) if subaddress.valid else b""


def _text(ffi: Any, characters: Any) -> str:
    return str(ffi.string(characters).decode("latin-1"))


def _timeslot(channel: int) -> int:
    """The timeslot of libpri's channel word (low octet; 0xFF and -1: any)."""
    return 0 if channel == ANY_CHANNEL or channel & 0xFF == 0xFF else channel & 0x7F
