"""Forms of the first run as keys of the configuration document. Pure: the document in, keys out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from appliance.bus.messages import KeySet
from e1_driver import check_url

SIDES = ("user", "network")
PROFILES = ("etsi", "china", "qsig", "ecma")
CRC4 = ("auto", "on", "off")
NEW_ROWS = 3                                      # of numbers and people, besides those that are there
LONGEST = 64                                      # characters of a field

Document = Mapping[str, Any]


def rows(document: Document, *path: str) -> list[dict[str, Any]]:
    """A list of the document; [] where there is none, or another thing."""
    part: Any = document
    for name in path:
        part = part.get(name) if isinstance(part, dict) else None
    return [one for one in part if isinstance(one, dict)] if isinstance(part, list) else []


@dataclass(frozen=True, slots=True)
class SpanSettings:
    """`crc4` "": the interface takes no word on it."""

    name: str
    url: str
    trunk: str
    side: str
    profile: str
    overlap: bool
    timeslots: str
    crc4: str


def spans(document: Document) -> list[SpanSettings]:
    return [SpanSettings(
        name=str(one.get("name", "")), url=str(one.get("url", "")), trunk=str(one.get("trunk", "")),
        side=str(one.get("side", "user")), profile=str(one.get("profile", "etsi")),
        overlap=one.get("overlap") is True, timeslots=str(one.get("timeslots", "1-31")),
        crc4=crc4_of(str(one.get("url", "")))) for one in rows(document, "spans")]


def crc4_of(url: str) -> str:
    """What the URL says of CRC-4; auto when it says nothing; "": its interface takes no word on it."""
    if not with_crc4(url, "on"):
        return ""
    return dict(parse_qsl(url.partition("?")[2])).get("crc4", "auto")


def with_crc4(url: str, value: str) -> str:
    """`url` with this word; "": its interface takes none."""
    place, _, query = url.partition("?")
    options = [one for one in query.split("&") if one and not one.startswith("crc4=")]
    try:
        return check_url(f"{place}?{'&'.join([*options, f'crc4={value}'])}")
    except ValueError:
        return ""


def carried(form: Mapping[str, str], head: int, count: int) -> dict[str, str]:
    """What stays of a form on a page made from version `head`, which has `count` rows: all of it when it was
    made from that version, else what was new in it, below the rows that there are."""
    if form.get("head") == str(head):
        return dict(form)
    had = _place(form.get("count", ""))
    kept: dict[str, str] = {}
    for name, value in form.items():
        what, _, number = name.rpartition("-")
        place = _place(number)
        if place is None:
            kept[name] = value
        elif had is not None and place >= had:
            kept[f"{what}-{place - had + count}"] = value
    return kept


def _place(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None


def span_sets(found: Iterable[SpanSettings], form: Mapping[str, str]) -> list[KeySet]:
    """What differs. ValueError: it is no form of this page."""
    sets = []
    for span in found:
        def given(what: str, allowed: Sequence[str] = (), name: str = span.name) -> str:
            value = form.get(f"{what}-{name}", "").strip()[:LONGEST]
            if allowed and value not in allowed:
                raise ValueError(f"{what} of {name}: {value!r}")
            return value
        if f"side-{span.name}" not in form:
            continue
        wanted = {"side": (span.side, given("side", SIDES)),
                  "profile": (span.profile, given("profile", PROFILES)),
                  "timeslots": (span.timeslots, given("timeslots") or "1-31")}
        sets += [_set(f"spans.{span.name}.{key}", new) for key, (old, new) in wanted.items() if old != new]
        overlap = form.get(f"numbers-{span.name}") == "overlap"
        if overlap != span.overlap:
            sets.append(_set(f"spans.{span.name}.overlap", overlap))
        if span.crc4 and (crc4 := given("crc4", CRC4)) != span.crc4:
            sets.append(_set(f"spans.{span.name}.url", with_crc4(span.url, crc4)))
    return sets


def number_sets(document: Document, form: Mapping[str, str]) -> list[KeySet]:
    """Numbers that come in: rows changed, emptied, added; what goes out. `form`: made from this document."""
    there = rows(document, "centre", "inbound")
    changed: list[KeySet] = []
    gone: list[KeySet] = []
    new: list[dict[str, str]] = []
    for place in range(len(there) + NEW_ROWS):
        given = {what: form.get(f"{what}-{place}", "").strip()[:LONGEST]
                 for what in ("trunk", "called", "flow")}
        if place >= len(there):
            new += [given] if given["called"] else []
        elif f"called-{place}" in form and not given["called"]:
            gone.insert(0, KeySet(key=f"centre.inbound[{place}]", value=None))
        else:
            changed += [_set(f"centre.inbound[{place}].{what}", value) for what, value in given.items()
                        if value and value != str(there[place].get(what, ""))]
    return [*changed, *gone, *_added("centre.inbound", there, new), *_out_sets(document, form)]


def _out_sets(document: Document, form: Mapping[str, str]) -> list[KeySet]:
    sets: list[KeySet] = []
    extension, to = form.get("out-trunk", "").strip(), form.get("out-to", "").strip()
    shown, prefix = form.get("out-shown", "").strip()[:LONGEST], form.get("out-prefix", "").strip()[:8]
    there = rows(document, "centre", "outbound")
    if extension and to and not any(one.get("trunk") == extension for one in there):
        if prefix and not prefix.isdecimal():
            raise ValueError(f"prefix {prefix!r}")
        way = {"trunk": extension, "called": f"{prefix}([0-9]{{3,}})", "to": to}
        sets += _added("centre.outbound", there, [way | ({"calling": shown} if shown else {})])
    if to and shown:
        sets += _caller_id(document, to, shown)
    return sets


def _caller_id(document: Document, trunk: str, number: str) -> list[KeySet]:
    trunks = rows(document, "trunks")
    found = next((one for one in trunks if one.get("name") == trunk), None)
    if found is None:
        return _added("trunks", trunks, [{"name": trunk, "caller_id": {"default": number}}])
    before = found.get("caller_id")
    if isinstance(before, dict) and before.get("default") == number:
        return []
    return [_set(f"trunks.{trunk}.caller_id.default", number)]


def people_sets(document: Document, form: Mapping[str, str]) -> list[KeySet]:
    """Agents changed, by the names that their rows have, and added, those who are new in a queue each."""
    there, queues = rows(document, "centre", "agents"), rows(document, "centre", "queues")
    by_name = {str(one.get("name", "")): one for one in there}
    sets: list[KeySet] = []
    new: list[dict[str, str]] = []
    joins: dict[str, list[str]] = {}
    for place in range(len(there) + NEW_ROWS):
        was, name = (form.get(f"{what}-{place}", "").strip()[:LONGEST] for what in ("was", "name"))
        if (agent := by_name.get(was)) is not None:
            sets += _telephone_sets(f"centre.agents.{was}", agent, _telephone(form, place, agent))
        elif name and not was:
            telephone = _telephone(form, place, {})
            new.append({"name": name, **{what: value for what, value in telephone.items() if value}})
            if queue := form.get(f"queue-{place}", "").strip():
                joins.setdefault(queue, []).append(name)
    sets += _added("centre.agents", there, new)
    for one in queues:
        if more := joins.get(str(one.get("name", ""))):
            before = one.get("agents")
            names = [*(before if isinstance(before, list) else []), *more]
            sets.append(_set(f"centre.queues.{one['name']}.agents", names))
    return sets


def _telephone(form: Mapping[str, str], place: int, agent: Mapping[str, Any]) -> dict[str, str]:
    """Of that row; without an extension there is no trunk either. What the form does not have: of `agent`."""
    given = {what: form.get(f"{what}-{place}", str(agent.get(what) or "")).strip()[:LONGEST]
             for what in ("extension", "trunk")}
    return given if given["extension"] else {"extension": "", "trunk": ""}


def _telephone_sets(key: str, agent: Mapping[str, Any], given: Mapping[str, str]) -> list[KeySet]:
    return [_set(f"{key}.{what}", value) if value else KeySet(key=f"{key}.{what}", value=None)
            for what, value in given.items() if value != str(agent.get(what) or "")]


def _added(key: str, there: Sequence[object], new: Sequence[Mapping[str, object]]) -> list[KeySet]:
    if not new:
        return []
    if not there:
        return [_set(key, list(new))]
    return [_set(f"{key}[+]", one) for one in new]


def _set(key: str, value: object) -> KeySet:
    """JSON is YAML, and keeps a text of digits a text."""
    return KeySet(key=key, value=json.dumps(value, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the forms offer. `extensions`: trunks toward telephones here; `lines`: toward the outside."""

    trunks: tuple[str, ...]
    lines: tuple[str, ...]
    extensions: tuple[str, ...]
    queues: tuple[str, ...]
    flows: tuple[str, ...] = field(default=())


def choices(document: Document, flows: Iterable[str]) -> Choices:
    found = spans(document)
    lines = tuple(dict.fromkeys(span.trunk for span in found if span.side == "user"))
    trunks = tuple(dict.fromkeys(span.trunk for span in found))
    named = [str(one.get("flow", "")) for one in rows(document, "centre", "inbound")]
    return Choices(
        trunks=trunks, lines=lines, extensions=tuple(one for one in trunks if one not in lines),
        queues=tuple(str(one.get("name", "")) for one in rows(document, "centre", "queues")),
        flows=tuple(dict.fromkeys(one for one in [*named, *flows] if one)))
