"""The folder of prompts: every change is decided in the catalogue first, then done, whole or not at all.

Sounds of the versions before lie beside the recordings by their sums. A change that was cut off between the
decision and its file is done at the next look: a kill leaves the old file or the new one.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from appliance.errors import StateError
from appliance.media import speech
from appliance.media.prompts import SUFFIX, Library, Prompt, PromptError
from appliance.recording.folders import make_folder, sync_folder
from appliance.recording.parts import Parts
from appliance.recording.prompts import sounds
from appliance.recording.prompts.drafts import Measured
from appliance.recording.prompts.tables import versions

NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
NAME_MOST = 100
LANGUAGES = ("zh", "en")
VERSIONS = 5                                      # of before, whose sound is kept
MUSIC = "music/default"

_MADE = ".made.json"                              # of who made them from texts: prompt -> recipe and text
_HEAD_OCTETS = 58                                 # of appliance.media.prompts.wav()
_MODE = 0o644                                     # spand reads what recordd writes; folders keep others out

log = logging.getLogger(__name__)


def refuse_name(name: str) -> None:
    """StateError: no prompt can be called so."""
    if not NAME.fullmatch(name) or len(name) > NAME_MOST:
        raise StateError(f"{name[:NAME_MOST]!r}: is no prompt's name: write a to z, 0 to 9, - and /")


def folder(parts: Parts) -> Path:
    return Path(parts.config.media.prompts)


def library(parts: Parts) -> Library:
    return Library(folder(parts), 0)


def names(parts: Parts) -> list[str]:
    """Of all files that can be prompts, in order."""
    top, found = folder(parts), []
    for place, _, files in os.walk(top):
        within = Path(place).relative_to(top)
        for file in files:
            name = (within / file).as_posix().removesuffix(SUFFIX)
            if file.endswith(SUFFIX) and NAME.fullmatch(name) and len(name) <= NAME_MOST:
                found.append(name)
    return sorted(found)


def get(parts: Parts, name: str) -> Prompt:
    """StateError: there is none, or it cannot be played."""
    refuse_name(name)
    try:
        return library(parts).get(name)
    except PromptError as error:
        raise StateError(str(error)) from None


def measured(parts: Parts, name: str) -> Measured | None:
    """None: there is no such file."""
    path = _place(parts, name)
    try:
        stat = path.stat()
    except OSError:
        parts.prompts.measured.pop(name, None)
        return None
    stamp = stat.st_ino, stat.st_mtime_ns, stat.st_size
    known = parts.prompts.measured.get(name)
    if known is not None and known.stamp == stamp:
        return known
    try:
        prompt = library(parts).get(name)
        sum_ = hashlib.sha256(path.read_bytes()).hexdigest()
        known = Measured(prompt.stamp, sum_, prompt.octets.size // 8, sounds.level_dbm0(prompt.octets),
                         prompt.stamp[2])
    except (PromptError, OSError) as error:
        known = Measured(stamp, "", 0, 0.0, stat.st_size, str(error))
    parts.prompts.measured[name] = known
    return known


def kept(parts: Parts, sha256: str) -> Path:
    """Where the sound of a version lies."""
    return parts.folder / "prompts" / "kept" / f"{sha256}{SUFFIX}"


def put(parts: Parts, name: str, file: bytes | None, act: str, by: str, made: str, text: str = "",
        also: Callable[[Connection], object] = lambda _: None) -> int:
    """The file is the prompt from now on, None: there is none; the number of the version.

    `also` is decided together with it. StateError: the name; OSError: the disk.
    """
    refuse_name(name)
    with parts.prompts.changing:
        finish(parts)
        _keep_found(parts, name)
        sha256, length_ms = "", 0
        if file is not None:
            sha256, length_ms = _keep(parts, file), max(0, len(file) - _HEAD_OCTETS) // 8
        with parts.database.write() as connection:
            number = int(connection.execute(insert(versions).values(
                name=name, at=parts.now(), by=by, act=act, made=made, text=text, sha256=sha256,
                length_ms=length_ms, there=file is not None, done=False).returning(versions.c.number)
                ).scalar_one())
            also(connection)
        try:
            _do(parts, number, name, sha256)
        except OSError:                           # whoever asked is told that it was not done
            with parts.database.write() as connection:
                connection.execute(versions.delete().where(versions.c.number == number))
            raise
        _prune(parts, name)
    return number


def finish(parts: Parts) -> None:
    """What was cut off is done, in order; what cannot be is tried again at the next look."""
    with parts.database.read() as connection:
        rows = connection.execute(select(versions).where(~versions.c.done)
                                  .order_by(versions.c.number)).all()
    for row in rows:
        if row.sha256 and not kept(parts, row.sha256).exists():
            with parts.database.write() as connection:
                connection.execute(versions.delete().where(versions.c.number == row.number))
            continue
        try:
            _do(parts, row.number, row.name, row.sha256)
        except OSError as error:                  # nobody else's prompt waits for it
            log.warning("%s: cannot become version %d: %s", row.name, row.number, error)


def guess(parts: Parts, name: str, made_from: Mapping[str, str]) -> tuple[str, str]:
    """How a file was made that nobody put here, and what it says."""
    if name in made_from:
        return "text", made_from[name]
    if name == MUSIC:
        return "box", ""
    said = needed(parts).get(name)
    return ("unknown", "") if said is None else ("box", said)


def needed(parts: Parts) -> dict[str, str]:
    """What values such as numbers need, and what it says."""
    currency = getattr(parts.config.media, "currency", None)
    return {name: text for language in LANGUAGES
            for name, text in speech.vocabulary(language, [currency] if currency else []).items()}


def made_from(parts: Parts) -> dict[str, str]:
    """Prompt -> text, of those that `branchline prompts` made."""
    return {name: recipe.split(" ", 3)[-1] for name, recipe in _recipes(parts).items()
            if name.partition("/")[0] in LANGUAGES}


def _recipes(parts: Parts) -> dict[str, str]:
    try:
        made = json.loads((folder(parts) / _MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(recipe) for name, recipe in made.items()} if isinstance(made, dict) else {}


def _place(parts: Parts, name: str) -> Path:
    return folder(parts) / f"{name}{SUFFIX}"


def _keep_found(parts: Parts, name: str) -> None:
    """A file that somebody else put there can be had again, too."""
    with contextlib.suppress(FileNotFoundError):
        path = _place(parts, name)
        octets, at = path.read_bytes(), path.stat().st_mtime
        with parts.database.read() as connection:
            newest = connection.execute(select(versions.c.sha256).where(versions.c.name == name)
                                        .order_by(versions.c.number.desc()).limit(1)).scalar()
        if newest != hashlib.sha256(octets).hexdigest():
            made, text = guess(parts, name, made_from(parts))
            sha256 = _keep(parts, octets)
            with parts.database.write() as connection:
                connection.execute(insert(versions).values(
                    name=name, at=at, by="", act="found", made=made, text=text, sha256=sha256,
                    length_ms=max(0, len(octets) - _HEAD_OCTETS) // 8, there=True, done=True))


def _keep(parts: Parts, octets: bytes) -> str:
    """Durably, by its sum."""
    sha256 = hashlib.sha256(octets).hexdigest()
    place = kept(parts, sha256)
    if not place.exists():
        make_folder(place.parent)
        _write(place, octets)
    return sha256


def _do(parts: Parts, number: int, name: str, sha256: str) -> None:
    place = _place(parts, name)
    if sha256:
        make_folder(place.parent)
        _write(place, kept(parts, sha256).read_bytes())
    elif place.exists():
        place.unlink()
        sync_folder(place.parent)
    _disown(parts, name)
    with parts.database.write() as connection:    # and what was before it need not be done any more
        connection.execute(update(versions).where(
            versions.c.name == name, versions.c.number <= number, ~versions.c.done).values(done=True))


def _write(place: Path, octets: bytes) -> None:
    """The old file or the new one, whole, whatever happens."""
    new = place.with_name(f".{place.name}.new")
    with new.open("wb") as file:
        file.write(octets)
        os.fchmod(file.fileno(), _MODE)           # a daemon's umask leaves nothing for others
        file.flush()
        os.fsync(file.fileno())
    new.rename(place)
    sync_folder(place.parent)


def _disown(parts: Parts, name: str) -> None:
    """`branchline prompts` makes it no more from its text: it is somebody's own now."""
    recipes = _recipes(parts)
    if recipes.pop(name, None) is not None:
        _write(folder(parts) / _MADE, json.dumps(recipes, ensure_ascii=False, indent=1).encode())


def _prune(parts: Parts, name: str) -> None:
    """Sounds of versions long ago go."""
    with parts.database.write() as connection:
        rows: list[Any] = list(connection.execute(
            select(versions.c.number, versions.c.sha256).where(versions.c.name == name, versions.c.there)
            .order_by(versions.c.number.desc())).all())
        old = rows[VERSIONS + 1:]
        connection.execute(update(versions).where(versions.c.number.in_([row.number for row in old]))
                           .values(there=False))
        gone = [row.sha256 for row in old if not connection.execute(
            select(func.count()).select_from(versions)
            .where(versions.c.sha256 == row.sha256, versions.c.there)).scalar()]
    for sha256 in gone:
        kept(parts, sha256).unlink(missing_ok=True)
