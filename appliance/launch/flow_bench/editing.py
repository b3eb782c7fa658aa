"""Edits of a flow's text; comments and lines that an edit is not about stay as they are. Pure.

Who edits tells each time what the whole is to be afterwards, and the text is compared with that: an edit that
a text's way of writing does not allow is refused, never done by halves.
"""

import copy
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import yaml

from appliance.box.document.editing import MOST_VALUE, changed_at, last_line
from appliance.bus.messages.flows import FlowEdit, Key
from appliance.centre.flow.editor.picture import Step, part, steps, tree_of
from appliance.centre.flow.model import FARTHEST
from appliance.config.load import values_of
from appliance.config.part import NAME
from appliance.errors import ConfigError

MOST_TEXT_OCTETS = 256 * 1024
MOST_EDITS = 100
OTHERWISE = "this text is written in a way that the edit cannot be made in: edit it as text"

_NAME = re.compile(NAME)


def edited(text: str, edits: Sequence[FlowEdit]) -> str:
    """ConfigError: an edit makes no sense, and why."""
    if len(edits) > MOST_EDITS:
        raise ConfigError(f"more than {MOST_EDITS} edits at once")
    for number, edit in enumerate(edits, 1):
        try:
            text = _ACTS[edit.do](text, edit)
        except ConfigError as error:
            where = f"edit {number} of {len(edits)}, " if len(edits) > 1 else ""
            raise ConfigError(f"{where}{edit.do}: {error}") from None
    if len(text.encode()) > MOST_TEXT_OCTETS:
        raise ConfigError(f"the text would have more than {MOST_TEXT_OCTETS} octets")
    return text


def _set(text: str, edit: FlowEdit) -> str:
    if not edit.keys or len(edit.keys) > 20:
        raise ConfigError("keys: which ones lead there?")
    return _put(text, edit.keys, edit.value)


def _add(text: str, edit: FlowEdit) -> str:
    if not _NAME.fullmatch(edit.name):
        raise ConfigError(f"{edit.name!r}: a node's name is a to z first, then a to z, 0 to 9 and -, at most "
                          "32 in all")
    if edit.name in _names(text):
        raise ConfigError(f"there is a node {edit.name!r} already")
    value = edit.value or ""
    if len(value) > MOST_VALUE or not isinstance(_value(value), dict):
        raise ConfigError(f"{edit.name}: a node has keys: {{kind: play, ...}}, at most {MOST_VALUE} "
                          "characters")
    wanted = _mapping(text)
    _put_in(wanted, ["nodes", edit.name], _value(value), False)
    found = _appended(text, edit.name, value)
    return found if found is not None and _says(found, wanted) else _put(text, ["nodes", edit.name], value)


def _rename(text: str, edit: FlowEdit) -> str:
    found = _step(text, edit.name)
    if edit.to == edit.name:
        return text
    if not _NAME.fullmatch(edit.to):
        raise ConfigError(f"{edit.to!r}: a node's name is a to z first, then a to z, 0 to 9 and -, at most "
                          "32 in all")
    if edit.to in _names(text):
        raise ConfigError(f"there is a node {edit.to!r} already")
    tree = tree_of(text)
    start, drawing = part(tree, "start"), part(tree, "drawing")
    words: list[yaml.ScalarNode] = [found.key]
    words += [way.node for _, way in _leading_to(text, edit.name) if way.node is not None]
    words += [start] if isinstance(start, yaml.ScalarNode) and start.value == edit.name else []
    words += [key for key, _ in drawing.value if key.value == edit.name] \
        if isinstance(drawing, yaml.MappingNode) else []
    wanted = _renamed(values_of(text), text, edit.name, edit.to)
    for word in sorted(words, key=lambda word: word.start_mark.index, reverse=True):
        text = text[:word.start_mark.index] + edit.to + text[word.end_mark.index:]
    if not _says(text, wanted):
        raise ConfigError(OTHERWISE)
    return text


def _remove(text: str, edit: FlowEdit) -> str:
    _step(text, edit.name)
    for name, way in _leading_to(text, edit.name):
        keys = way.keys[:-1] if way.keys[0] == "digits" and len(way.keys) == 3 else way.keys
        if name != edit.name:
            text = _put(text, ["nodes", name, *keys], None)
    if edit.name in (values_of(text).get("drawing") or {}):
        text = _put(text, ["drawing", edit.name], None)
    return _put(text, ["nodes", edit.name], None)


def _move(text: str, edit: FlowEdit) -> str:
    _step(text, edit.name)
    if max(abs(edit.x), abs(edit.y)) > FARTHEST:
        raise ConfigError(f"{edit.x}, {edit.y}: a picture has {FARTHEST} pixels each way")
    return _put(text, ["drawing", edit.name], f"[{edit.x}, {edit.y}]")


def _place(text: str, edit: FlowEdit) -> str:
    return _put(text, ["drawing"], None) if "drawing" in _mapping(text) else text


_ACTS: dict[str, Callable[[str, FlowEdit], str]] = {
    "set": _set, "add": _add, "rename": _rename, "remove": _remove, "move": _move, "place": _place}


def _put(text: str, keys: Sequence[Key], value: str | None) -> str:
    wanted = _mapping(text)
    _put_in(wanted, keys, None if value is None else _value(value), value is None)
    for attempt in (_at_the_end, _in_its_part, _in_all):             # the one that changes least goes first
        found = attempt(text, list(keys), value)
        if found is not None and _says(found, wanted):
            return found
    raise ConfigError(OTHERWISE)


def _in_its_part(text: str, keys: list[Key], value: str | None) -> str | None:
    """A round trip writes a text anew that it would write otherwise: so it gets no more than the part."""
    if (alone := _alone(text, keys)) is None:
        return None
    before, head, inner, after = alone
    return before + changed_at(head + inner, keys, value).removeprefix(head) + after


def _in_all(text: str, keys: list[Key], value: str | None) -> str | None:
    return changed_at(text, keys, value)


def _at_the_end(text: str, keys: Sequence[Key], value: str | None) -> str | None:
    """With a key that the file does not have yet. None: it has it, or this is not written on lines."""
    tree = tree_of(text)
    if tree is None or tree.flow_style or part(tree, str(keys[0])) is not None:
        return None
    if value is None or "\n" in value.strip():
        return None
    if tree.start_mark.column or not all(isinstance(key, str) and _NAME.fullmatch(key) for key in keys):
        return None
    new = "\n".join(f"{'  ' * depth}{key}:" for depth, key in enumerate(keys))
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{new} {value.strip()}\n"


def _alone(text: str, keys: Sequence[Key]) -> tuple[str, str, str, str] | None:
    """The node, or the key of the file, that the keys lead into: what is before, a key above it, it, after.

    None: it has no lines of its own.
    """
    depth = 2 if keys[0] == "nodes" else 1
    if len(keys) <= depth:
        return None
    node: yaml.Node | None = tree_of(text)
    key: yaml.Node | None = None
    for name in keys[:depth]:
        pairs = node.value if isinstance(node, yaml.MappingNode) and not node.flow_style else ()
        key, node = next(((one, value) for one, value in pairs if one.value == name), (None, None))
    if key is None or node is None:
        return None
    lines = text.splitlines(keepends=True)
    first, last = key.start_mark.line, last_line(node)
    if lines[first][:key.start_mark.column].strip() or last + 1 < first:
        return None
    inner = "".join(lines[first:last + 1])
    inner += "" if inner.endswith("\n") else "\n"
    head = f"{keys[0]}:\n" if depth == 2 else ""
    return "".join(lines[:first]), head, inner, "".join(lines[last + 1:])


def _put_in(whole: Any, keys: Sequence[Key], value: Any, gone: bool) -> None:
    for depth, key in enumerate(keys[:-1], 1):
        if isinstance(whole, dict) and whole.get(key) in (None, "") and not gone:
            whole[key] = {}
        whole = _inner(whole, key, keys[:depth])
    if isinstance(whole, dict) and isinstance(keys[-1], str) and not gone:
        whole[keys[-1]] = value
        return
    _inner(whole, keys[-1], keys)
    if gone:
        del whole[keys[-1]]
    else:
        whole[keys[-1]] = value


def _inner(whole: Any, key: Key, keys: Sequence[Key]) -> Any:
    there = ((isinstance(whole, dict) and key in whole)
             or (isinstance(whole, list) and isinstance(key, int) and 0 <= key < len(whole)))
    if not there:
        raise ConfigError(f"{'.'.join(map(str, keys))}: is not there")
    return whole[key]


def _appended(text: str, name: str, value: str) -> str | None:
    """With a node after the last one. None: the nodes are written in one line, or in braces."""
    nodes = part(tree_of(text), "nodes")
    if not isinstance(nodes, yaml.MappingNode) or not nodes.value or nodes.flow_style:
        return None
    key, last = nodes.value[-1]
    lines = text.splitlines(keepends=True)
    end, column = last_line(last), key.start_mark.column
    inline = value.strip().startswith("{") and "\n" not in value.strip()
    inner = textwrap.indent(textwrap.dedent(value).strip("\n"), " " * (column + max(2, column)))
    new = f"{' ' * column}{name}:" + (f" {value.strip()}\n" if inline else f"\n{inner}\n")
    head = "".join(lines[:end + 1])
    return head + ("" if head.endswith("\n") else "\n") + new + "".join(lines[end + 1:])


def _says(text: str, wanted: Any) -> bool:
    try:
        found: object = values_of(text)
    except yaml.YAMLError:
        return False
    return bool(found == wanted)


def _mapping(text: str) -> dict[str, Any]:
    found = _value(text)
    if not isinstance(found, dict):
        raise ConfigError("the text has no keys: it is no flow")
    return found


def _value(text: str) -> Any:
    try:
        return values_of(text)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"no YAML: {' '.join(str(problem).split())}") from None


def _names(text: str) -> set[str]:
    return {step.name for step in _steps(text)}


def _steps(text: str) -> list[Step]:
    tree = tree_of(text)
    if tree is None:
        _mapping(text)
    return steps(tree) if tree is not None else []


def _step(text: str, name: str) -> Step:
    found = next((step for step in _steps(text) if step.name == name), None)
    if found is None:
        raise ConfigError(f"there is no node {name!r}")
    return found


def _leading_to(text: str, name: str) -> Iterator[tuple[str, Any]]:
    return ((step.name, way) for step in _steps(text) for way in step.ways if way.to == name)


def _renamed(whole: Any, text: str, name: str, to: str) -> Any:
    """What the whole is to be, from the values alone."""
    found = copy.deepcopy(whole)
    for above, way in list(_leading_to(text, name)):
        inner = found["nodes"][above]
        for key in way.keys[:-1]:
            inner = inner[key]
        inner[way.keys[-1]] = to
    for key in ("nodes", "drawing"):
        if isinstance(found.get(key), dict):
            found[key] = _keyed(found[key].items(), name, to)
    if found.get("start") == name:
        found["start"] = to
    return found


def _keyed(items: Iterable[tuple[Any, Any]], name: str, to: str) -> dict[Any, Any]:
    return {to if key == name else key: value for key, value in items}
