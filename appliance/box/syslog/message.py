"""A line of the log as a syslog message, and how messages are told apart on a connection. Pure.

Ref: RFC 5424 (the message, 7.1 timeQuality, 7.2 origin, 7.3 meta), RFC 5425 4.3 and RFC 6587 3.4.1 (octets
counted), RFC 5426 (one in a datagram).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.bus.messages import LogLevel, LogLine

FACILITIES = {"user": 1, "daemon": 3, **{f"local{number}": 16 + number for number in range(8)}}
SEVERITIES: Mapping[LogLevel, int] = {"debug": 7, "info": 6, "warning": 4, "error": 3}
MOST_OCTETS = 2048                                # any receiver takes so many (RFC 5424 6.1, 5425 4.3.1)
MOST_DATAGRAM = 1400                              # not fragmented on the way
MOST_NUMBER = 0x7FFFFFFF                          # sequenceId begins again from 1
LAST_UNIX_S = 253_402_300_799.0                   # the last second of year 9999: RFC 3339 goes no further
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class TimeQuality:
    """What the box's time of day is worth: `accuracy_s` at most so far off; None: nobody knows."""

    synchronised: bool
    accuracy_s: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """Who says it."""

    hostname: str
    version: str


def message(line: LogLine, facility: str, box: Box, quality: TimeQuality | None, number: int,
            most_octets: int = MOST_OCTETS) -> bytes:
    """Without framing. What is too long is cut between two characters."""
    at = datetime.fromtimestamp(min(max(line.at, 0.0), LAST_UNIX_S), UTC)
    head = (f"<{FACILITIES[facility] * 8 + SEVERITIES[line.level]}>1 "
            f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z {_word(box.hostname, 255)} "
            f"{_word(line.program, 48)} - - {_data(box, quality, number)} ").encode("ascii")
    text = line.text.encode("utf-8", "replace")[:max(0, most_octets - len(head) - len(_BOM))]
    return head + _BOM + text.decode("utf-8", "ignore").encode()


def counted(octets: bytes) -> bytes:
    """For a connection."""
    return b"%d %b" % (len(octets), octets)


def _data(box: Box, quality: TimeQuality | None, number: int) -> str:
    found = [f'[origin software="branchline" swVersion="{_value(box.version, 32)}"]',
             f'[meta sequenceId="{number}"]']
    if quality is not None:
        accuracy = ""
        if quality.synchronised and quality.accuracy_s is not None:
            accuracy = f' syncAccuracy="{round(quality.accuracy_s * 1e6)}"'
        found.append(f'[timeQuality tzKnown="1" isSynced="{int(quality.synchronised)}"{accuracy}]')
    return "".join(found)


def _word(text: str, most: int) -> str:
    """PRINTUSASCII, "-" for nothing."""
    return _NOT_PRINTABLE.sub("_", text)[:most] or "-"


def _value(text: str, most: int) -> str:
    return re.sub(r'([\\"\]])', r"\\\1", _NOT_PRINTABLE.sub("_", text)[:most])
