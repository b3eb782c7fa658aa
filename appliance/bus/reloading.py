"""The document read again by all daemons that can, or by none of them.

Daemons read the document itself, or in the run folder a copy with the port that the launcher chose.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from appliance.bus.client import Bus
from appliance.bus.messages import (
    ReloadBackup,
    ReloadCentre,
    Reloaded,
    ReloadRecorder,
    ReloadSpans,
    ReloadTrunks,
    ReloadUpdate,
)
from appliance.bus.runner import CANDIDATE
from appliance.config.load import load

COPY = "branchline.yaml"                          # in the run folder, when the launcher chose the port
TAKE_S = 10.0                                     # a daemon reads and checks for so long at most


async def try_out(bus: Bus, text: str, document: Path, run_dir: Path) -> list[Reloaded]:
    """What each daemon would take over if `text` were in `document`. Refused, BusError: one cannot."""
    with _candidate(text, document, run_dir):
        return [await bus.ask(request, TAKE_S) for request in (
            ReloadSpans(check=True, candidate=True), ReloadTrunks(check=True, candidate=True),
            ReloadCentre(check=True, candidate=True),
            ReloadRecorder(check=True, candidate=True), ReloadBackup(check=True, candidate=True),
            ReloadUpdate(check=True, candidate=True))]


async def take_over(bus: Bus) -> list[str]:
    """The keys that the daemons took over from the document as it is on the disk."""
    changed = [key for request in (ReloadSpans(), ReloadTrunks(), ReloadCentre(), ReloadRecorder(),
                                   ReloadBackup(), ReloadUpdate())
               for key in (await bus.ask(request, TAKE_S)).changed]
    return list(dict.fromkeys(changed))           # two of them read what is recorded


async def take_over_flows(bus: Bus) -> None:
    """Flow files are others than they were; only acdd reads them. Refused: it goes on with those before."""
    await bus.ask(ReloadCentre(check=True, flows=True), TAKE_S)
    await bus.ask(ReloadCentre(flows=True), TAKE_S)


def put_copy(document: Path, run_dir: Path) -> None:
    """What `document` says into the copy, if daemons read one. ConfigError: it is wrong."""
    copy = run_dir / COPY
    if copy.exists() and not copy.samefile(document):
        write_whole(copy, _with_port_of(copy, document, None))


def write_whole(path: Path, text: str) -> None:
    """At once: somebody may read it now."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


@contextlib.contextmanager
def _candidate(text: str, document: Path, run_dir: Path) -> Iterator[None]:
    path, copy = run_dir / CANDIDATE, run_dir / COPY
    path.parent.mkdir(mode=0o750, exist_ok=True)  # on an installed box it is there, for the daemons' group
    as_copy = copy.exists() and not copy.samefile(document)
    write_whole(path, _with_port_of(copy, document, text) if as_copy else text)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _with_port_of(copy: Path, document: Path, text: str | None) -> str:
    found = load(document, text)
    web = found.web.model_copy(update={"port": load(copy).web.port})
    return yaml.safe_dump(found.model_copy(update={"web": web}).model_dump(), allow_unicode=True)
