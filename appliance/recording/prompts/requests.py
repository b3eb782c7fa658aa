"""What is asked of prompts, and what is done by time."""

import hashlib
from typing import Any, cast

import numpy as np
from sqlalchemy import insert, select

from appliance.bus.client import BusError
from appliance.bus.messages import (
    CopyPrompt,
    DeletePrompt,
    Done,
    DraftPrompt,
    GetPrompt,
    GetPromptAudio,
    GetPromptPeaks,
    GetPrompts,
    GetPromptUses,
    KeepAsPrompt,
    KeepPrompt,
    NoteTake,
    PromptAudio,
    PromptDraft,
    PromptInfo,
    PromptKept,
    PromptList,
    PromptMade,
    PromptPeaks,
    PromptReply,
    PromptsChanged,
    PromptUploaded,
    PromptUses,
    PromptVersion,
    Request,
    RestorePrompt,
    UploadPrompt,
)
from appliance.errors import StateError
from appliance.media.g711 import Octets
from appliance.media.prompts import Library, PromptError, wav
from appliance.recording.parts import Answers, Parts
from appliance.recording.prompts import shelf, sounds
from appliance.recording.prompts.drafts import Draft
from appliance.recording.prompts.tables import takes, versions

MOST_LISTED = 5000
MOST_OCTETS = 1 << 20                             # of one answer's audio
MOST_VERSIONS = 100                               # that are told
TEND_S = 600.0
TELLS = (KeepPrompt, CopyPrompt, RestorePrompt, DeletePrompt, KeepAsPrompt)

_USES_S = 5.0


def changed(request: Request[Any]) -> list[PromptsChanged]:
    """What is to be said when it was done."""
    if not isinstance(request, TELLS):
        return []
    both = [request.name, request.to] if isinstance(request, CopyPrompt) else [request.name]
    return [PromptsChanged(name=name) for name in both]


def tend(parts: Parts, now: float) -> float:
    """What was cut off is done, what nobody came back for goes; when to come again."""
    with parts.prompts.changing:
        shelf.finish(parts)
    parts.prompts.tend(_uploads(parts), now)
    return now + TEND_S


def _list(parts: Parts, asked: GetPrompts) -> PromptList:
    if not 1 <= asked.most <= MOST_LISTED:
        raise StateError(f"most: {asked.most}: write 1 to {MOST_LISTED}")
    names = [name for name in shelf.names(parts) if name > asked.after]
    told = names[:asked.most]
    newest, counts = _known(parts)
    made_from = shelf.made_from(parts)
    found = [_info(parts, name, newest.get(name), counts.get(name, 0), made_from) for name in told]
    return PromptList(prompts=[one for one in found if one is not None], needed=shelf.needed(parts),
                      more=len(names) > len(told))


def _get(parts: Parts, asked: GetPrompt) -> PromptReply:
    shelf.refuse_name(asked.name)
    with parts.database.read() as connection:
        rows = connection.execute(select(versions).where(versions.c.name == asked.name)
                                  .order_by(versions.c.number.desc()).limit(MOST_VERSIONS)).all()
    count = sum(row.there for row in rows[1:])
    info = _info(parts, asked.name, rows[0] if rows else None, count, shelf.made_from(parts))
    if info is None and not rows:
        raise StateError(f"{asked.name}: there is no such prompt")
    return PromptReply(info=info, versions=[PromptVersion(
        number=row.number, at=row.at, by=row.by, act=row.act, made=row.made, text=row.text,
        length_ms=row.length_ms, there=row.there) for row in rows])


def _audio(parts: Parts, asked: GetPromptAudio) -> PromptAudio:
    if asked.at < 0 or not 1 <= asked.most_octets <= MOST_OCTETS:
        raise StateError(f"at from 0, most_octets from 1 to {MOST_OCTETS}")
    file = wav(_octets(parts, asked.name, asked.version, asked.draft))
    return PromptAudio(octets=file[asked.at:asked.at + asked.most_octets], total=len(file),
                       sha256=hashlib.sha256(file).hexdigest())


def _peaks(parts: Parts, asked: GetPromptPeaks) -> PromptPeaks:
    octets = _octets(parts, asked.name, asked.version, asked.draft)
    return PromptPeaks(peaks=sounds.peaks(octets, asked.parts), length_ms=octets.size // 8,
                       level_dbm0=sounds.level_dbm0(octets))


def _upload(parts: Parts, asked: UploadPrompt) -> PromptUploaded:
    return PromptUploaded(octets=parts.prompts.add(
        _uploads(parts), asked.upload, asked.at, asked.total, asked.octets, parts.now()))


def _draft(parts: Parts, asked: DraftPrompt) -> PromptDraft:
    given = [bool(one) for one in (asked.upload, asked.text.strip(), asked.name, asked.draft)]
    if sum(given) != 1:
        raise StateError("give one of upload, text, name, draft")
    made, text, told = "uploaded", "", ""
    if asked.upload:
        try:
            samples, told = sounds.from_file(parts.prompts.uploaded(_uploads(parts), asked.upload))
        finally:
            parts.prompts.drop(_uploads(parts), asked.upload)
        octets = sounds.encoded(samples, asked.trim, asked.level_dbm0)
    elif asked.text.strip():
        made, text = "text", " ".join(asked.text.split())
        samples = sounds.from_text(text, asked.language, parts.config.media.speech)
        octets = sounds.encoded(samples, False, asked.level_dbm0)
    else:
        if asked.draft:
            of = parts.prompts.draft(asked.draft)
            octets, made, text = of.octets, of.made, of.text
        else:
            octets = _octets(parts, asked.name, asked.version, "")
            made, text = _made(parts, asked.name, asked.version)
        octets = sounds.shaped(octets, asked.from_ms, asked.to_ms, asked.trim, asked.level_dbm0)
    # A copy: the whole of what it was cut from would stay in memory.
    draft = parts.prompts.keep(Draft(np.array(octets), made, text, parts.now()))
    return PromptDraft(draft=draft, length_ms=octets.size // 8, level_dbm0=sounds.level_dbm0(octets),
                       made=cast(PromptMade, made), text=text, told=told)


def _keep(parts: Parts, asked: KeepPrompt) -> PromptKept:
    draft = parts.prompts.draft(asked.draft)
    shelf.refuse_name(asked.name)
    there = shelf.measured(parts, asked.name) is not None
    if asked.new and there:
        raise StateError(f"{asked.name}: there is one of that name: choose another, or replace that one")
    number = shelf.put(parts, asked.name, wav(draft.octets), "put", asked.by, draft.made, draft.text)
    return PromptKept(name=asked.name, version=number)


def _copy(parts: Parts, asked: CopyPrompt) -> PromptKept:
    octets = shelf.get(parts, asked.name).octets
    shelf.refuse_name(asked.to)
    if shelf.measured(parts, asked.to) is not None:
        raise StateError(f"{asked.to}: there is one of that name: choose another")
    if asked.move:
        _refuse_used(parts, asked.name)
    made, text = _made(parts, asked.name, 0)
    act = "moved" if asked.move else "copied"
    number = shelf.put(parts, asked.to, wav(octets), act, asked.by, made, text)
    if asked.move:
        shelf.put(parts, asked.name, None, act, asked.by, made, text)
    return PromptKept(name=asked.to, version=number)


def _restore(parts: Parts, asked: RestorePrompt) -> PromptKept:
    octets = _octets(parts, asked.name, asked.number, "")
    made, text = _made(parts, asked.name, asked.number)
    number = shelf.put(parts, asked.name, wav(octets), "restored", asked.by, made, text)
    return PromptKept(name=asked.name, version=number)


def _delete(parts: Parts, asked: DeletePrompt) -> Done:
    shelf.refuse_name(asked.name)
    if shelf.measured(parts, asked.name) is None:
        raise StateError(f"{asked.name}: there is no such prompt")
    _refuse_used(parts, asked.name)
    shelf.put(parts, asked.name, None, "deleted", asked.by, "unknown")
    return Done()


def _note(parts: Parts, asked: NoteTake) -> Done:
    shelf.refuse_name(asked.name)
    with parts.database.write() as connection:
        connection.execute(insert(takes).prefix_with("OR IGNORE").values(
            recording=asked.recording, name=asked.name, by=asked.by, at=int(parts.now())))
    return Done()


def _refuse_used(parts: Parts, name: str) -> None:
    """StateError: a caller may hear it, or nobody can say."""
    try:
        told: PromptUses = parts.ask(GetPromptUses(name=name), _USES_S)
    except BusError:
        raise StateError(f"{name}: whether it is used cannot be seen while acdd is away: try again soon"
                         ) from None
    uses = told.uses.get(name, [])
    if uses:
        where = ", ".join(" ".join(filter(None, (one.kind, one.where, one.what))) for one in uses[:5])
        more = f" and {len(uses) - 5} more" if len(uses) > 5 else ""
        raise StateError(f"{name}: is used by {where}{more}: take it out there first")


def _octets(parts: Parts, name: str, version: int, draft: str) -> Octets:
    """StateError: there is no such sound."""
    if draft:
        return parts.prompts.draft(draft).octets
    if not version:
        return shelf.get(parts, name).octets
    row = _row(parts, name, version)
    try:
        return Library(shelf.kept(parts, row.sha256).parent, 0).get(row.sha256).octets
    except PromptError:
        raise StateError(f"{name}: the sound of version {version} is not kept any more") from None


def _row(parts: Parts, name: str, version: int) -> Any:
    shelf.refuse_name(name)
    with parts.database.read() as connection:
        row = connection.execute(select(versions).where(
            versions.c.name == name, versions.c.number == version)).one_or_none()
    if row is None or not row.there:
        raise StateError(f"{name}: the sound of version {version} is not kept any more")
    return row


def _made(parts: Parts, name: str, version: int) -> tuple[str, str]:
    """How it came, and what it says."""
    if version:
        row = _row(parts, name, version)
        return row.made, row.text
    with parts.database.read() as connection:
        newest = connection.execute(select(versions).where(versions.c.name == name)
                                    .order_by(versions.c.number.desc()).limit(1)).one_or_none()
    info = _info(parts, name, newest, 0, shelf.made_from(parts))
    return (info.made, info.text) if info else ("unknown", "")


def _known(parts: Parts) -> tuple[dict[str, Any], dict[str, int]]:
    """Of each prompt the newest row, and how many of before can be had again."""
    newest: dict[str, Any] = {}
    counts: dict[str, int] = {}
    with parts.database.read() as connection:
        for row in connection.execute(select(versions).order_by(versions.c.number)):
            if row.name in newest:
                counts[row.name] = counts.get(row.name, 0) + newest[row.name].there
            newest[row.name] = row
    return newest, counts


def _info(parts: Parts, name: str, newest: Any, count: int, made_from: dict[str, str]) -> PromptInfo | None:
    file = shelf.measured(parts, name)
    if file is None:
        return None
    made, text, at, by = (*shelf.guess(parts, name, made_from), 0.0, "")
    if newest is not None and newest.sha256 == file.sha256:
        made, text = newest.made, newest.text
        if newest.act != "found":
            at, by = newest.at, newest.by
    return PromptInfo(
        name=name, length_ms=file.length_ms, level_dbm0=file.level_dbm0, octets=file.octets,
        made=cast(PromptMade, made), text=text, at=at, by=by, versions=count, wrong=file.wrong)


def _uploads(parts: Parts) -> Any:
    return parts.folder / "prompts" / "brought"


ANSWERS: Answers = {
    GetPrompts: _list, GetPrompt: _get, GetPromptAudio: _audio, GetPromptPeaks: _peaks, UploadPrompt: _upload,
    DraftPrompt: _draft, KeepPrompt: _keep, CopyPrompt: _copy, RestorePrompt: _restore, DeletePrompt: _delete,
    NoteTake: _note,
}
