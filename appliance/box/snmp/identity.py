"""What must stay the same for management stations: the engine's id, how often it began, a span's index.

Ref: RFC 3411 5 (SnmpEngineID), RFC 3414 2.2 (snmpEngineBoots: grows with every start, or a recorded message
could be played again), RFC 2863 3.1.5 (ifIndex).

A station never believes an engine that began less often than it remembers. A restore brings back an older
file: so the number is at least the minutes since 2026 began, as far as the clock tells them.
"""

import secrets
from pathlib import Path

import msgspec

from appliance.box.backup.durable import write_file
from appliance.box.snmp.interfaces import SPANS_FROM

FILE = "snmp.json"                                # in the state folder
MOST_BOOTS = 0x7FFFFFFF
SINCE_UNIX_S, BOOT_S = 1_767_225_600, 60.0        # 2026-01-01; seldom does the agent begin more often
_OWN_FORMAT = 0x80                                # of the id: an agent that chose octets by itself (RFC 3411)
_RANDOM_OCTETS = 12


class Identity(msgspec.Struct, forbid_unknown_fields=True):
    engine: str                                   # hexadecimal
    boots: int
    indices: dict[str, int]                       # of spans, those too that are gone: none is given twice


def begin(state_dir: Path, spans: list[str], enterprise: int, unix_s: float) -> tuple[Identity, str]:
    """For a start: on the disk before anybody hears of it. The text: why it was made anew; "": it was not.

    OSError: it cannot be kept. It waits for the disk.
    """
    path, notice = state_dir / FILE, ""
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Identity)
        engine = bytes.fromhex(known.engine)
        if not 5 <= len(engine) <= 32 or known.boots < 0:
            raise ValueError("no engine id of 5 to 32 octets")
    except FileNotFoundError:
        known = _new(enterprise)
    except (msgspec.MsgspecError, ValueError) as error:
        known, notice = _new(enterprise), f"{path}: {error}: stations have to learn this box's engine id anew"
    if known.boots >= MOST_BOOTS:
        indices, known = known.indices, _new(enterprise)
        known.indices = indices
    by_clock = int((unix_s - SINCE_UNIX_S) // BOOT_S)
    known.boots = max(known.boots + 1, by_clock if by_clock < MOST_BOOTS // 2 else 0)    # it may be wrong
    for span in spans:
        known.indices.setdefault(span, max((SPANS_FROM - 1, *known.indices.values())) + 1)
    write_file(path, msgspec.json.encode(known))
    return known, notice


def _new(enterprise: int) -> Identity:
    head = bytearray(enterprise.to_bytes(4, "big"))
    head[0] |= 0x80                               # the format of RFC 3411, not the older one
    return Identity((bytes(head) + bytes((_OWN_FORMAT,)) + secrets.token_bytes(_RANDOM_OCTETS)).hex(), 0, {})
