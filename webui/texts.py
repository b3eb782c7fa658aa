"""Words for the values that the bus carries. One table per kind; an unknown value is shown as it is."""

import time
from datetime import UTC, datetime

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l

WORDS: dict[str, dict[str, LazyString]] = {
    "contact": {
        "flow": _l("In menu"), "queue": _l("Waiting"), "ringing": _l("Ringing"), "talking": _l("Talking"),
        "dialling": _l("Dialling"), "ended": _l("Ended"),
    },
    "segment": {
        "flow": _l("Menu"), "queue": _l("Queue"), "ring": _l("Ringing"), "talk": _l("Talk"),
        "dial": _l("Dialling"),
    },
    "outcome": {
        "answered": _l("Answered"), "abandoned": _l("Abandoned"), "rejected": _l("Rejected"),
        "failed": _l("Failed"), "": _l("In progress"),
    },
    "agent": {
        "idle": _l("Ready"), "ringing": _l("Ringing"), "talking": _l("Talking"), "wrap-up": _l("Wrap-up"),
        "unavailable": _l("Unavailable"),
    },
    "channel": {
        "idle": _l("idle"), "busy": _l("busy"), "restarting": _l("restarting"),
        "out-of-service": _l("out of service"),
    },
    "alarm": {
        "los": _l("no signal"), "lof": _l("frame lost"), "ais": _l("alarm from upstream"),
        "rai": _l("far end does not hear us"), "lomf": _l("CRC-4 multiframe not found"),
    },
    "loop": {
        "none": _l("none"), "local": _l("to us"), "line": _l("line, to the far end"),
        "payload": _l("payload, to the far end"),
    },
    "counter": {
        "blocks_in": _l("blocks of 10 ms received"), "blocks_out": _l("blocks of 10 ms sent"),
        "slips": _l("repeated or left out because clocks differ"),
        "frames_in": _l("good D-channel frames received"), "frames_out": _l("D-channel frames sent"),
        "fcs_errors": _l("D-channel frames with a wrong check"), "aborts": _l("D-channel frames broken off"),
        "runts": _l("D-channel frames too short"), "giants": _l("D-channel frames too long"),
        "code_violations": _l("HDB3 code violations"),
        "fas_errors": _l("frame alignment words with a wrong bit"),
        "crc_errors": _l("CRC-4 blocks received wrong"),
        "e_bits": _l("CRC-4 blocks that the far end received wrong"),
        "packets_in": _l("packets received in time"), "packets_lost": _l("packets that never came"),
        "packets_late": _l("packets that came too late or twice"),
        "packets_bad": _l("packets of a wrong shape or from elsewhere"),
    },
    "daemon": {
        "up": _l("running"), "late": _l("late"), "down": _l("down"), "never": _l("not started"),
    },
    "work": {
        "spand": _l("Lines and audio"), "trunkd": _l("Signalling"), "acdd": _l("Call centre"),
        "recordd": _l("Recordings"), "boxd": _l("Health of the box"), "webui": _l("Web pages"),
    },
    "direction": {"in": _l("Inbound"), "out": _l("Outbound")},
    "party": {"caller": _l("Caller"), "agent": _l("Agent"), "box": _l("This box"), "line": _l("Line")},
    "cause": {                                    # Q.850 table 1, those that calls meet in practice
        "1": _l("Unallocated number"), "3": _l("No route to destination"), "16": _l("Normal call clearing"),
        "17": _l("User busy"), "18": _l("No user responding"), "19": _l("No answer from user"),
        "21": _l("Call rejected"), "22": _l("Number changed"), "26": _l("Cleared by another user's answer"),
        "27": _l("Destination out of order"), "28": _l("Invalid number format"),
        "29": _l("Facility rejected"),
        "31": _l("Normal, unspecified"), "34": _l("No channel available"), "38": _l("Network out of order"),
        "41": _l("Temporary failure"), "42": _l("Switching equipment congestion"),
        "44": _l("Requested channel not available"), "47": _l("Resource unavailable"),
        "57": _l("Bearer capability not authorised"), "58": _l("Bearer capability not available"),
        "65": _l("Bearer capability not implemented"), "81": _l("Invalid call reference value"),
        "82": _l("Identified channel does not exist"), "88": _l("Incompatible destination"),
        "96": _l("Mandatory element missing"), "97": _l("Message type not implemented"),
        "100": _l("Invalid element contents"), "101": _l("Message not compatible with call state"),
        "102": _l("Recovery on timer expiry"), "111": _l("Protocol error"), "127": _l("Interworking"),
    },
}


def word(value: str | int, kind: str) -> str:
    """The word for `value` in the reader's language."""
    return str(WORDS[kind].get(str(value), value))


def number(digits: str) -> str:
    """A telephone number, or that there is none."""
    return digits or gettext("withheld")


def duration(seconds: float) -> str:
    """0:07, 12:34, 1:02:03. live.js writes the same."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def moment(at: float) -> str:
    """Date and time of day where the box stands."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def day(at: float) -> str:
    """The day of UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def clock(at: float) -> str:
    """Time of day where the box stands."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")


def since(at: float) -> str:
    """How long ago, now."""
    return duration(time.time() - at)


def mebibytes(octets: int) -> str:
    return f"{octets / 1048576:.0f} MiB"


def now() -> str:
    """The box's clock for live.js, Unix time in seconds."""
    return f"{time.time():.3f}"
