"""Facts of recordings -> what their pages show, and what people choose -> what is asked. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from flask_babel import gettext

from appliance.bus.messages import RecordingDescribed, RecordingRow, SearchRecordings, SpaceInfo
from appliance.bus.messages.catalogue import State, Way
from webui import texts

PRESETS = ("today", "yesterday", "last-week", "last-month", "dates")
WAYS = tuple(way for way in get_args(Way) if way)
STATES = tuple(state for state in get_args(State) if state)
MORE = ("trunk", "tag", "disposition", "least", "most", "least_score", "most_score", "held", "state")
FIELDS = ("preset", "since", "until", "way", "number", "agent", "queue", "text", "contact", *MORE)
LONGEST = 100
ROWS = 50
FOR_EVER = 250_000_000_000.0                      # in the year 9892: it is kept for ever
SUFFIXES = {"audio/ogg": "opus", "audio/flac": "flac", "audio/wav": "wav"}


def chosen(args: Mapping[str, str]) -> dict[str, str]:
    """What the form holds; today when nothing was chosen."""
    kept = {name: args[name].strip()[:LONGEST] for name in FIELDS if args.get(name, "").strip()}
    return kept or {"preset": "today"}


def search(kept: Mapping[str, str], after: int) -> SearchRecordings:
    """ValueError: with a sentence for people."""
    preset, way, state = kept.get("preset", "dates"), kept.get("way", ""), kept.get("state", "")
    if preset not in PRESETS or way not in ("", *WAYS) or state not in ("", *STATES):
        raise ValueError(gettext("This request cannot be understood"))
    dates = preset == "dates"
    until = _day(kept.get("until", "")) if dates else None
    since = _day(kept.get("since", "")) if dates else None
    fields: dict[str, Any] = {
        "preset": "" if dates else preset, "way": way, "state": state, "after": after, "limit": ROWS,
        "since": since.timestamp() if since else 0.0,
        "until": (until + timedelta(days=1)).timestamp() if until else 0.0,
        "least_s": _seconds(kept.get("least", "")), "most_s": _seconds(kept.get("most", "")),
        "least_score": _score(kept.get("least_score", "")), "most_score": _score(kept.get("most_score", "")),
        "held": {"yes": True, "no": False}.get(kept.get("held", ""))}
    for name in ("number", "agent", "queue", "trunk", "tag", "disposition", "text", "contact"):
        fields[name] = kept.get(name, "")
    return SearchRecordings(**fields)


def _day(said: str) -> datetime | None:
    try:
        day = datetime.strptime(said, "%Y-%m-%d") if said else None
        if day is not None:
            (day + timedelta(days=1)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(gettext("%(said)s is no day: write it as 2026-09-28.", said=said)) from None
    return day


def _seconds(said: str) -> float:
    """Of 90 or 1:30 or 1:02:03."""
    if not re.fullmatch(r"\d{0,6}(:[0-5]?\d){0,2}", said, re.ASCII):
        raise ValueError(gettext("%(said)s is no duration: write seconds, or 1:30.", said=said))
    seconds = 0.0
    for part in said.split(":"):
        seconds = 60 * seconds + float(part or 0)
    return seconds


def _score(said: str) -> float | None:
    if not re.fullmatch(r"(\d{1,3}(\.\d{1,2})?)?", said, re.ASCII):
        raise ValueError(gettext("%(said)s is no score: write 0 to 100.", said=said))
    return float(said) if said else None


def other_party(row: RecordingRow) -> str:
    """The customer's number; "" when it is withheld or was not given."""
    if row.direction == "out":
        return row.called
    return "" if row.withheld else row.calling


def file_name(recording: str, row: RecordingRow | None, media_type: str) -> str:
    """When, who, with whom; the recording's name while nothing is known of it."""
    suffix = SUFFIXES.get(media_type.partition(";")[0], "bin")
    if row is None:
        return f"{recording}.{suffix}"
    began = datetime.fromtimestamp(row.began_at).strftime("%Y-%m-%d_%H-%M-%S")
    said = "_".join(part for part in (began, row.agent, other_party(row)) if part)
    return re.sub(r"[^\w.+-]", "-", said) + f".{suffix}"


def marks(found: RecordingDescribed) -> list[dict[str, Any]]:
    """For the player: seconds from the beginning, kind and title."""
    return [{"at": round(min(max(one.at - found.row.began_at, 0.0), found.row.duration_s), 2),
             "kind": one.kind, "title": mark_title(one.kind, one.detail, one.by)} for one in found.marks]


def mark_title(kind: str, detail: str, by: str) -> str:
    title = texts.word(kind, "mark")
    if detail:
        title += f" {detail}"
    return f"{title} · {by}" if by else title


def gone(row: RecordingRow) -> str:
    """Why there is nothing to hear; "": there is."""
    if row.state == "erased":
        return str(gettext("Its audio was erased: %(why)s", why=row.erased_why or "–"))
    if row.state == "archived":
        return str(gettext("It is in the archive only. Have it brought back first."))
    return ""


def said(data: str) -> str:
    """An entry's JSON for people."""
    def shown(name: str, value: Any) -> str:
        if name in ("form", "purpose"):
            return texts.word(value, "chain value")
        return texts.moment(value) if name.endswith("_at") else str(value)
    return " · ".join(f"{texts.word(name, 'chain fact')}: {shown(name, value)}"
                      for name, value in json.loads(data).items())


def takes(rule: str) -> str:
    """Which recordings a rule of retention takes, as recordd says it, in the reader's language."""
    def part(said: str) -> str:
        what, _, names = said.partition(" ")
        shown = [texts.word(one, "direction") if what == "direction" else one for one in names.split(" or ")]
        either = gettext(" or ").join(shown)
        return f"{texts.word(what, 'takes')} {either}"
    return texts.word(rule, "takes") if rule in ("all", "the others") else ", ".join(
        part(one) for one in rule.split(", "))


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the disk, in per cent of the whole."""

    kind: str
    octets: int
    left: float
    width: float


def shares(space: SpaceInfo) -> list[Share]:
    """The disk as a bar: held, waiting for the archive, other recordings, journal and archive, else, free."""
    rest = max(0, space.recordings - space.held - space.unarchived)
    ours = space.recordings + space.journal + space.outbox
    sizes = {"held": space.held, "unarchived": min(space.unarchived, max(0, space.recordings - space.held)),
             "recordings": rest, "journal": space.journal + space.outbox,
             "others": max(0, space.total - space.free - ours), "free": space.free}
    found, left = [], 0.0
    for kind, octets in sizes.items():
        width = 100 * octets / max(space.total, 1)
        if octets:
            found.append(Share(kind, octets, round(left, 3), round(width, 3)))
        left += width
    return found
