"""What a bundle is made from: each source a name and what gives its text, which may fail alone."""

import asyncio
import json
import os
import platform
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import msgspec
import yaml

from appliance.box.programs import run
from appliance.box.support.redact import masked, said, shown, unlocked
from appliance.bus.client import Bus
from appliance.bus.messages import (
    GetFitness,
    GetHardware,
    GetHealth,
    GetLineHistory,
    GetMedia,
    GetSpans,
    GetSpanTrace,
    GetUpdate,
    GetWallClock,
    Request,
)
from appliance.config.load import load
from appliance.errors import BranchlineError, ConfigError
from appliance.isdn.ladder import describe
from e1_driver.watch import pcap

JOURNAL_S, JOURNAL_LINES = 3 * 86_400, 100_000
ASKED_S = 10.0
TRACE_FRAMES = 5000
MOST_NAMES = 2000                                 # of a list of files

Texts = Awaitable[str | bytes]


@dataclass(frozen=True, slots=True)
class Places:
    """Of this box; `data` is where slots and updates keep what they know, on a box."""

    config: Path
    state_dir: Path
    run_dir: Path
    data: Path = Path("/data")
    numbers: bool = False                         # telephone numbers as they are


def sources(places: Places, bus: Bus | None) -> Iterator[tuple[str, Callable[[], Texts]]]:
    """In the order in which they are worth most. `bus` None: no daemon is asked."""
    def text(name: str, give: Callable[[], str]) -> tuple[str, Callable[[], Texts]]:
        return name, lambda: asyncio.to_thread(lambda: masked_as(places, give()))

    yield "versions.json", lambda: asyncio.to_thread(_versions)
    yield text("configuration.yaml", lambda: _configuration(places.config))
    yield "files.txt", lambda: asyncio.to_thread(lambda: "".join(_files(places)))
    yield "disk.json", lambda: asyncio.to_thread(lambda: _disk(places))
    if bus is not None:
        yield from _asked(places, bus)
    for name, command in _COMMANDS.items():
        yield text(name, partial(run, command))
    update, resets = places.data / "update/state/state.json", places.data / "reset-log"
    if update.exists():
        yield "box/state.json", lambda: asyncio.to_thread(_kept, update, places.numbers)
    if resets.exists():
        yield "box/reset-log", lambda: asyncio.to_thread(resets.read_bytes)
    journal = ["journalctl", "--no-pager", "-o", "short-iso-precise", "-n", str(JOURNAL_LINES), "--since",
               f"@{int(time.time() - JOURNAL_S)}"]
    yield text("log/journal.txt", lambda: run(journal))
    yield text("log/kernel.txt", lambda: run([*journal, "-k"]))


_COMMANDS: dict[str, list[str]] = {
    "network/addresses.txt": ["ip", "-d", "address"],
    "network/routes.txt": ["ip", "route", "show", "table", "all"],
    "network/neighbours.txt": ["ip", "neighbour"],
    "network/links.txt": ["networkctl", "--no-pager", "status", "-a"],
    "network/names.txt": ["resolvectl", "--no-pager", "status"],
    "network/sockets.txt": ["ss", "-lntup"], "network/firewall.txt": ["nft", "list", "ruleset"],
    "clock.txt": ["timedatectl", "--no-pager", "show", "--all"],
    "units.txt": ["systemctl", "--no-pager", "list-units", "--all", "--full"],
    "units-failed.txt": ["systemctl", "--no-pager", "--full", "--failed"],
    "hardware/blocks.txt": ["lsblk", "-a", "-o", "NAME,SIZE,TYPE,FSTYPE,LABEL,RO,MODEL"],
    "hardware/modules.txt": ["lsmod"],
    "processes.txt": ["ps", "-eo", "pid,user,ni,rtprio,rss,etime,time,comm"],
    "slots.txt": ["rauc", "status", "--detailed"]}


def masked_as(places: Places, text: str) -> str:
    return unlocked(text) if places.numbers else masked(unlocked(text))


def _asked(places: Places, bus: Bus) -> Iterator[tuple[str, Callable[[], Texts]]]:
    def ask(name: str, request: Request[Any]) -> tuple[str, Callable[[], Texts]]:
        async def asked() -> bytes:
            reply = await asyncio.wait_for(bus.ask(request), ASKED_S)
            answer = said(msgspec.to_builtins(reply), places.numbers)
            return msgspec.json.format(msgspec.json.encode(answer), indent=1)
        return name, asked

    for name, request in (("health", GetHealth()), ("spans", GetSpans()), ("media", GetMedia()),
                          ("fitness", GetFitness()), ("hardware", GetHardware()), ("update", GetUpdate()),
                          ("clock", GetWallClock())):
        yield ask(f"asked/{name}.json", request)
    try:
        spans = [span.name for span in load(places.config).spans]
    except ConfigError:
        return
    for span in spans:
        yield ask(f"lines/{span}.json", GetLineHistory(span=span))
        yield f"traces/{span}.txt", partial(_ladder, places, bus, span)
        if places.numbers:
            yield f"traces/{span}.pcap", partial(_pcap, bus, span)


async def _ladder(places: Places, bus: Bus, span: str) -> str:
    trace = await asyncio.wait_for(bus.ask(GetSpanTrace(span=span, frames=TRACE_FRAMES)), ASKED_S)
    lines = []
    for frame in trace.frames:
        rung = describe(frame.octets, frame.sent, trace.network_side, frame.again)
        lines.append(f"{frame.at:.3f} {'->' if frame.sent else '<-'} {rung.title:<16} {rung.text}\n")
    return masked_as(places, "".join(lines))


async def _pcap(bus: Bus, span: str) -> bytes:
    trace = await asyncio.wait_for(bus.ask(GetSpanTrace(span=span, frames=TRACE_FRAMES)), ASKED_S)
    return b"".join((pcap.FILE_HEADER, *(
        pcap.record(frame.at, frame.sent, frame.octets, trace.network_side) for frame in trace.frames)))


def _versions() -> str:
    release = Path("/etc/os-release")
    return json.dumps({
        "branchline": version("branchline"), "python": platform.python_version(),
        "kernel": platform.platform(),
        "machine": platform.machine(), "processors": os.cpu_count(),
        "system": release.read_text().splitlines() if release.exists() else [],
        "memory": Path("/proc/meminfo").read_text().splitlines()[:5],
        "up": Path("/proc/uptime").read_text().split()[0], "load": os.getloadavg(),
        "packages": sorted(f"{one.name} {one.version}" for one in distributions())}, indent=1)


def _configuration(path: Path) -> str:
    """Only of a document that is in order: what is secret in another nobody knows."""
    try:
        document = load(path)
    except ConfigError as error:
        raise ConfigError(f"has {len(str(error).splitlines())} mistakes, `branchline check` says which: "
                          "what is secret in it is not known") from None
    return yaml.safe_dump(shown(document), sort_keys=False, allow_unicode=True)


def _files(places: Places) -> Iterator[str]:
    """Names, sizes and times; not what is in them."""
    left = MOST_NAMES
    for top in (places.config.absolute().parent, places.state_dir):
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                try:
                    found = path.lstat()
                except OSError:
                    continue
                yield (f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(found.st_mtime))} "
                       f"{found.st_mode:06o} {found.st_size:>14,} {path}\n")
                left -= 1
                if not left:
                    yield "and more\n"
                    return


def _kept(path: Path, numbers: bool) -> str:
    """A document of JSON, whose source of an update may have a secret in it."""
    return json.dumps(said(json.loads(path.read_text()), numbers), indent=1)


def _disk(places: Places) -> str:
    return json.dumps({str(path): shutil.disk_usage(path)._asdict()
                       for path in (Path("/"), places.state_dir, places.data) if path.exists()}, indent=1)


async def one(give: Callable[[], Texts]) -> bytes:
    """BranchlineError: why it cannot be given."""
    try:
        got = await give()
    except TimeoutError:
        raise BranchlineError(f"no answer within {ASKED_S:g} s") from None
    except (OSError, ValueError) as error:
        raise BranchlineError(str(error)) from None
    return got.encode() if isinstance(got, str) else got
