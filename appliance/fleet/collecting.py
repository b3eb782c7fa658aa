"""collect: files of a box into a folder of its name: support bundles, logs, captures, configuration."""

import asyncio
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from appliance.bus.messages.logs import MOST_LINES
from appliance.errors import ConfigError
from appliance.fleet import documents
from appliance.fleet.course import End, State
from appliance.fleet.documents import No
from appliance.fleet.driving import Note, Work
from appliance.fleet.link import Link, LinkError
from appliance.fleet.reach import Reach

SUPPORT_S = 330.0                                 # a box makes a bundle within
BUNDLES = f"{documents.SAVED}/support"             # as the box's answer has it
DOCUMENT, LOG = "branchline.yaml", "log.txt"
_NAME = re.compile(r"[\w-][\w.-]{0,99}")


async def _support(link: Link, into: Path) -> list[str]:
    said = await link.ask("support | json", SUPPORT_S)
    bad = said.end()
    if bad is not None:
        raise No(bad.state, bad.why)
    try:
        path = str(msgspec.json.decode(said.out.strip().splitlines()[-1])["file"])    # steps, then the file
    except (msgspec.DecodeError, RecursionError, IndexError, KeyError, TypeError):
        raise No(State.FAILED, "the box names no file") from None
    folder, _, name = path.rpartition("/")
    if folder != BUNDLES:
        raise No(State.FAILED, f"{path[:100]!r} is no place of bundles")
    await _one(link, folder, name, into)
    return [name]


async def _log(link: Link, into: Path) -> list[str]:
    said = await link.ask(f"show log most {MOST_LINES}")
    bad = said.end()
    if bad is not None:
        raise No(bad.state, bad.why)
    await asyncio.to_thread(_keep, into / LOG, said.out)
    return [LOG]


async def _captures(link: Link, into: Path) -> list[str]:
    """All that is saved and is a capture; those that are here already are not fetched again."""
    found = await _saved(link)
    for name, octets in found:
        if not _is_here(into / name, octets):
            await _one(link, documents.SAVED, name, into)
    return [name for name, _ in found]


async def _saved(link: Link) -> list[tuple[str, int]]:
    return [(name, octets) for name, octets in await link.listed(documents.SAVED)
            if name.endswith((".pcap", ".pcapng", ".wav")) and _NAME.fullmatch(name)]


def _is_here(path: Path, octets: int) -> bool:
    return path.exists() and path.stat().st_size == octets


async def _configuration(link: Link, into: Path) -> list[str]:
    path = into / DOCUMENT
    await asyncio.to_thread(_keep, path, await documents.document(link))
    return [path.name]


async def _one(link: Link, folder: str, name: str, into: Path) -> None:
    if not _NAME.fullmatch(name):
        raise No(State.FAILED, f"a file's name that is none: {name[:100]!r}")
    await link.fetch(f"{folder}/{name}", into / name)


def _keep(path: Path, text: str) -> None:
    """The file is this text, or what it was: passwords are in some, so it is its owner's alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


MADE = {"configuration": DOCUMENT, "log": LOG, "support": ""}            # when it is asked for
KINDS = {"captures": _captures, "configuration": _configuration, "log": _log, "support": _support}


def collecting(what: Sequence[str], folder: Path, reach: Reach) -> Work:
    """Facts of an end: `files`, from `folder` on. ConfigError: there is no such kind."""
    _refuse_unknown(what)

    async def work(box: str, note: Note) -> End:
        files: list[str] = []
        async with reach(box) as link:
            for one in what:
                await note(one)
                try:
                    files += [f"{box}/{name}" for name in await KINDS[one](link, folder / box)]
                except (LinkError, No) as error:
                    return End(error.state, f"{one}: {error}", {"files": files})
                except OSError as error:
                    return End(State.FAILED, f"{folder / box}: {error.strerror}", {"files": files})
        return End(State.DONE, "", {"files": files})
    return work


def looking(what: Sequence[str], folder: Path, reach: Reach) -> Work:
    """What a box has of it; nothing is made on it, and nothing here. Facts of an end: `files`, of each `what`
    it is of, `file` in the box's folder ("": the box names it when it makes it), its `octets` there (null:
    known when it is made), and whether it is `here` as it is there. ConfigError: there is no such kind.
    """
    _refuse_unknown(what)

    async def work(box: str, note: Note) -> End:
        files: list[dict[str, object]] = []
        async with reach(box) as link:
            for one in what:
                await note(one)
                if one == "captures":
                    try:
                        files += [{"what": one, "file": name, "octets": octets,
                                   "here": await asyncio.to_thread(_is_here, folder / box / name, octets)}
                                  for name, octets in await _saved(link)]
                    except (LinkError, No) as error:
                        return End(error.state, f"{one}: {error}", {"files": files})
                    except OSError as error:
                        return End(State.FAILED, f"{folder / box}: {error.strerror}", {"files": files})
                else:
                    files.append({"what": one, "file": MADE[one], "octets": None, "here": False})
        return End(State.DONE, "", {"files": files})
    return work


def _refuse_unknown(what: Sequence[str]) -> None:
    unknown = [one for one in what if one not in KINDS]
    if unknown:
        raise ConfigError(f"{unknown[0]!r}: collects one of {', '.join(KINDS)}")
