"""Lines of an installed box, out of the system's journal: read from the newest back by journalctl.

Ref: systemd.journal-fields(7), journalctl(1).
"""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

from appliance.box.logs.lines import Raw, TooLong
from appliance.bus.messages import DAEMONS
from appliance.errors import Unavailable

UNITS = {**{daemon: f"branchline-{daemon}.service" for daemon in DAEMONS},
         "bus": "branchline-bus.service", "root": "branchline-root.service"}
KERNEL = "kernel"
MOST_LINE_OCTETS = 256 * 1024                     # of JSON
WITHIN_S = 8.0                                    # of one search

_CURSOR = re.compile(r"[A-Za-z0-9=;]{1,300}")
_PROGRAMS = {unit: name for name, unit in UNITS.items()}


class Journal:
    name = "journal"

    def there(self) -> bool:
        return shutil.which("journalctl") is not None

    def since(self) -> float:
        return 0.0

    def programs(self) -> list[str]:
        return [*UNITS, KERNEL]

    def newest_first(self, before: str, after: str, since: float, until: float,
                     programs: frozenset[str]) -> Iterator[Raw]:
        """Between these two places. Unavailable: journalctl cannot be asked."""
        command = ["journalctl", "--no-pager", "--quiet", "--reverse", "--output=json", "--all",
                   "--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT,_TRANSPORT,SYSLOG_IDENTIFIER"]
        if before:
            command.append(f"--after-cursor={before}")               # reversed: what comes after is older
        if since and not before:                                     # it takes one of the two
            command.append(f"--since=@{int(since)}")
        if until and not before:
            command.append(f"--until=@{int(until) + 1}")
        for found in _said([*command, *matches(programs)]):
            raw = entry(found)
            if raw is None:
                continue
            if raw.place == after:
                return
            yield raw


def place_is_right(place: str) -> bool:
    return not place or _CURSOR.fullmatch(place) is not None


def entry(octets: bytes) -> Raw | None:
    """One object of journalctl's; None: it is none of ours."""
    try:
        fields: dict[str, Any] = json.loads(octets)
        at = int(fields["__REALTIME_TIMESTAMP"]) / 1e6
        text, cursor = _text(fields.get("MESSAGE")), str(fields["__CURSOR"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if fields.get("_TRANSPORT") == KERNEL:
        program = KERNEL
    else:
        unit = str(fields.get("UNIT") or fields.get("_SYSTEMD_UNIT") or "")
        program = _PROGRAMS.get(unit, "")
    if not program or not place_is_right(cursor):
        return None
    own = fields.get("_TRANSPORT") == "stdout" and not fields.get("UNIT")
    priority = None if own else _priority(fields.get("PRIORITY"))
    return Raw(at, program, text, cursor, priority)


def _text(message: Any) -> str:
    """What is no text comes as a list of octets, what is too long as nothing."""
    if isinstance(message, list):
        return bytes(one & 0xFF for one in message if isinstance(one, int)).decode("utf-8", "replace")
    return str(message or "")


def _priority(value: Any) -> int:
    try:
        return min(7, max(0, int(value)))
    except (TypeError, ValueError):
        return 6


def matches(programs: frozenset[str]) -> list[str]:
    """Of one field any, of several all; + begins another way to be right."""
    units = [UNITS[name] for name in UNITS if not programs or name in programs]
    found = [f"_SYSTEMD_UNIT={unit}" for unit in units]
    if units:
        found += ["+", "_PID=1", *(f"UNIT={unit}" for unit in units)]
    if not programs or KERNEL in programs:
        found += [*(["+"] if found else []), f"_TRANSPORT={KERNEL}"]
    return found or ["_TRANSPORT=none-of-these"]


def _said(command: list[str]) -> Iterator[bytes]:
    """Line by line; journalctl is ended when nobody wants more. Unavailable: it fails, or says nothing."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
    except OSError as error:
        raise Unavailable(f"journalctl: {error.strerror}") from None
    if child.stdout is None or child.stderr is None:
        raise AssertionError("a process with pipes has them")
    late = threading.Timer(WITHIN_S, child.kill)
    late.start()
    try:
        while octets := child.stdout.readline(MOST_LINE_OCTETS):
            if octets.endswith(b"\n"):
                yield octets
        if child.wait() < 0:
            raise TooLong(f"journalctl: has not ended in {WITHIN_S:g} s")
        if child.returncode:
            why = child.stderr.read(2000).decode(errors="replace").strip().splitlines()
            raise Unavailable(f"journalctl: {why[-1] if why else 'fails'}")
    finally:
        late.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()
