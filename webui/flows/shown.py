"""What boxd says of a flow, as the page's script takes it, and what the script says, as edits. Pure.

A value is YAML at boxd and JSON at the page; `values` has those that are given.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
import yaml

from appliance.bus.messages.flows import (
    FlowEdit,
    FlowField,
    FlowKind,
    FlowMistake,
    FlowNode,
    FlowReply,
    FlowTrial,
    FlowVersion,
)
from appliance.config.load import refuse_extremes
from webui.flows import words
from webui.flows.said import said

MOST_EDITS = 2000                                 # at once: all nodes moved
PLAIN = re.compile(r"[A-Za-z\u4e00-\u9fff][\w/-]*")          # a word of YAML that is itself...
NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})    # ... but for these
GROWING = ("digits", "cases")                     # fields that are ways, and may have more of them
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,15})")


class Edit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One change as the script says it. A node that is added begins with the template of `kind`, or as the
    node `like` is. `gone`: what `keys` lead to goes; else they have `value`, the YAML `yaml`, or `rows` of a
    map."""

    do: Literal["set", "add", "rename", "remove", "move", "place"]
    keys: list[int | str] = msgspec.field(default_factory=list)
    value: Any = None
    yaml: str | None = None
    rows: list[tuple[str, str]] | None = None
    kind: str = ""
    like: str = ""
    gone: bool = False
    name: str = ""
    to: str = ""
    x: int = 0
    y: int = 0


class Change(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    edits: list[Edit]
    sha256: str = ""
    take: bool = False


class Written(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`sha256`: of what it was written over, as flow() gives it."""

    text: str
    sha256: str = ""
    take: bool = False


class Asked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of a trial. `at`: as a clock at the box shows it, 2026-09-28T14:30; "" is now."""

    keys: list[str] = msgspec.field(default_factory=list)
    caller: str = ""
    called: str = ""
    at: str = ""
    answers: dict[str, list[str]] = msgspec.field(default_factory=dict)
    draft: bool = True


def edits(change: Change, kinds: Iterable[FlowKind], text: str) -> list[FlowEdit]:
    """`text`: of the draft. ValueError: with a sentence."""
    if len(change.edits) > MOST_EDITS:
        raise ValueError(f"more than {MOST_EDITS} changes at once")
    templates = {one.kind: one.template for one in kinds}
    there = of_yaml(text) if any(one.like for one in change.edits) else {}
    nodes = there.get("nodes") if isinstance(there, dict) else None
    return [FlowEdit(do=one.do, keys=one.keys, value=_value(one, templates, nodes), name=one.name, to=one.to,
                     x=one.x, y=one.y) for one in change.edits]


def _value(one: Edit, templates: Mapping[str, str], nodes: Any) -> str | None:
    """None: there is none, or none any more."""
    if one.do not in ("add", "set") or one.gone:
        return None
    if one.like:
        if not isinstance(nodes, dict) or one.like not in nodes:
            raise ValueError(f"no node is called {one.like}")
        return to_yaml(nodes[one.like])
    if one.kind:
        if one.kind not in templates:
            raise ValueError(f"no kind of node is called {one.kind}")
        return templates[one.kind]
    if one.rows is not None:
        return to_yaml({key: of_row(value) for key, value in one.rows})
    return to_yaml(one.value) if one.yaml is None else _checked(one.yaml)


def _read(text: str) -> Any:
    """yaml.YAMLError, ValueError: it is none, or would cost more than it may."""
    refuse_extremes(text)
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _checked(text: str) -> str:
    try:
        _read(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    return text


def of_row(text: str) -> Any:
    """What somebody writes beside a name: a number, true, false, {path: ...}, "5" in quotes; else a text."""
    if re.fullmatch(r"-?\d+(\.\d+)?|true|false|\"[^\"]*\"|\{\s*\w+:.*\}", text):
        found = of_yaml(text)
        if not isinstance(found, dict) or None not in found.values():
            return found
    return text


def to_row(value: Any) -> str:
    """So that of_row() gives the same."""
    if isinstance(value, str) and value and of_row(value) == value:
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {to_yaml(inner)}" for key, inner in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else to_yaml(value)


def to_yaml(value: Any) -> str:
    """As short as it can be written."""
    text: str = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=None,
                          sort_keys=False, width=1_000_000)
    return text.removesuffix("\n").removesuffix("\n...")


def of_yaml(text: str) -> Any:
    """What `text` says; the text itself where it is no YAML."""
    if PLAIN.fullmatch(text) and text.lower() not in NO_TEXT:
        return text
    if WHOLE.fullmatch(text):
        return int(text)
    try:
        found = _read(text)
        msgspec.json.encode(found)
    except (yaml.YAMLError, ValueError, TypeError):
        return text
    return found if isinstance(found, bool | int | float | str | list | dict) else text


def flow(reply: FlowReply, person: str, kinds: Mapping[str, FlowKind]) -> dict[str, Any]:
    """All that the page draws. `person`: who asks."""
    picture, draft = reply.picture, reply.file.draft
    return {
        "file": reply.file.file, "version": _version(reply.version), "head": _version(reply.file.head),
        "draft": None if draft is None else {
            "by": draft.by, "mine": draft.by == person, "base": draft.base, "at": draft.at,
            "sha256": draft.sha256, "undo": draft.undo, "redo": draft.redo},
        "sha256": reply.version.sha256 if reply.version else draft.sha256 if draft else "",
        "text": reply.text, "start": picture.start, "language": picture.language,
        "nodes": [_node(one, kinds.get(one.kind)) for one in picture.nodes],
        "mistakes": [mistake(one) for one in picture.mistakes], "prompts": picture.prompts}


def _version(version: FlowVersion | None) -> dict[str, Any] | None:
    return None if version is None else {"number": version.number, "by": version.by, "at": version.at}


def _node(node: FlowNode, kind: FlowKind | None) -> dict[str, Any]:
    known = {one.name for one in kind.fields} if kind else set()
    values = {one.name: _shown(one) for one in node.fields if one.value != ""}
    conditions = list(_conditions(node))
    values |= {one.name: of_yaml(one.value) for one in conditions}
    return {
        "name": node.name, "kind": node.kind, "line": node.line, "x": node.x, "y": node.y,
        "about": node.about, "comment": node.comment,
        "ways": [*({"keys": way.keys, "to": way.to, "required": way.required} for way in node.ways),
                 *({"keys": [one.name, ""], "to": "", "required": False}
                   for one in node.fields if one.name in GROWING)],
        "values": values,
        "more": [field(one, node.kind) for one in (*conditions, *node.fields) if one.name not in known]}


def _conditions(node: FlowNode) -> Iterator[FlowField]:
    """Of a branch, as fields of their own."""
    cases = next((of_yaml(one.value) for one in node.fields if one.name == "cases"), None)
    for place, case in enumerate(cases if isinstance(cases, list) else ()):
        when = case.get("when", "") if isinstance(case, dict) else ""
        yield FlowField(name=f"cases.{place}.when", shape="text", required=True,
                        value=to_yaml(when if isinstance(when, str) else to_yaml(when)))


def _shown(one: FlowField) -> Any:
    if one.shape == "yaml":
        return one.value
    value = of_yaml(one.value)
    if one.shape == "map":
        return [[str(key), to_row(inner)] for key, inner in value.items()] if isinstance(value, dict) else []
    return value


def mistake(one: FlowMistake) -> dict[str, Any]:
    node = str(one.keys[1]) if len(one.keys) > 1 and one.keys[0] == "nodes" else ""
    return {"line": one.line, "node": node, "keys": one.keys[2:] if node else one.keys,
            "text": said(one.text)}


def field(one: FlowField, kind: str) -> dict[str, Any]:
    return {"name": one.name, "words": words.field(one.name, kind), "ways": one.name in GROWING,
            "shape": one.shape, "required": one.required, "default": one.default, "least": one.least,
            "most": one.most, "of": one.of, "choices": one.choices}


def kind(one: FlowKind) -> dict[str, Any]:
    return {"kind": one.kind, "words": words.kind(one.kind), "about": words.about(one.kind, one.about),
            "group": words.group(one.kind), "fields": [field(each, one.kind) for each in one.fields],
            "ways": [{"keys": way.keys, "required": way.required} for way in one.ways]}


def trial(found: FlowTrial) -> dict[str, Any]:
    return {"steps": [{"at_s": one.at_s, "kind": one.kind, "node": one.node,
                       "text": said(one.text) if one.kind == "told" else one.text,
                       "prompts": one.prompts} for one in found.steps],
            "node": found.node, "awaits": found.awaits, "end": words.end(found.end)}
