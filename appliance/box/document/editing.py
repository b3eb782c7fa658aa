"""Keys of a document's text set or taken out; comments and the rest of the text stay as they are. Pure."""

import difflib
import io
import re
from collections.abc import Sequence
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from appliance.config.load import refuse_extremes
from appliance.errors import ConfigError

MOST_VALUE = 20_000                               # characters
MOST_ONE_BY_ONE = 8                               # with more, the whole document is read and written once
MOST_ALIKE = 1000                                 # lines; in more, frequent ones are no landmarks

_PART = re.compile(r"\[(\d{1,6}|\+)\]|(?:^|\.)([^.\[\]]+)")
_SECTION = re.compile(r"^[\w-]+:[ ]*(?:#.*)?\n(?:[ ]*(?:#.*)?\n)*([ ]*)(-?)", re.M)


def changed(text: str, key: str, value: str | None) -> str:
    """The text with `key` set to `value`, which is YAML; None: without the key. ConfigError names the key.

    Keys are joined by dots, a part of a list by its name or as [0]; [+] adds one at the end of a list.
    """
    return changed_at(text, path_of(key), value)


def changed_at(text: str, path: list[str | int], value: str | None) -> str:
    """As changed(), by the keys that lead there one by one."""
    if value is not None:
        _read(YAML(), value, _joined(path))
    # To read all of a large document takes a second.
    found = _without_lines(text, path) if value is None else _in_its_place(text, path, value)
    return _all_set(text, [(path, value)]) if found is None else found


def changed_all(text: str, sets: Sequence[tuple[str, str | None]]) -> str:
    """As changed(), key after key: each finds what those before it have left."""
    if len(sets) > MOST_ONE_BY_ONE:
        return _all_set(text, [(path_of(key), value) for key, value in sets])
    for key, value in sets:
        text = changed(text, key, value)
    return text


def place_of(key: str, value: str | None) -> str:
    """What of a document is another one when `key` is set, as changes() of appliance.config names it.

    A part that is added to a list is found by its name; one that has none, or a number, is all of the list.
    """
    path = path_of(key)
    if path[-1] == "+":
        try:
            refuse_extremes(value or "")
            new = yaml.load(value or "", Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError):      # who sets it is told
            new = None
        path = [*path[:-1], str(new["name"])] if isinstance(new, dict) and "name" in new else path[:-1]
    named = next((at for at, one in enumerate(path) if isinstance(one, int)), len(path))
    return _joined(path[:named])


def _all_set(text: str, sets: Sequence[tuple[list[str | int], str | None]]) -> str:
    rounds = _rounds(text)
    document = _read(rounds, text, "the candidate")
    as_written = _written(rounds, document)
    for path, value in sets:
        part = document
        for depth, name in enumerate(path[:-1], 1):
            part = _inner(part, name, _joined(path[:depth]), path[depth] if value is not None else None)
        _act(part, path, None if value is None else _read(rounds, value, _joined(path)), value is None)
    after = _written(rounds, document)
    patched = _patched(text, as_written, after)
    return patched if _data(patched) == _data(after) else after


def _written(rounds: YAML, document: Any) -> str:
    out = io.StringIO()
    rounds.dump(document, out)
    return out.getvalue()


def _patched(text: str, as_written: str, after: str) -> str:
    """`text` with the lines that differ between its round trip and `after`, as far in as their neighbours."""
    lines, old, new = (one.splitlines(keepends=True) for one in (text, as_written, after))
    if len(lines) != len(old):
        return after
    found: list[str] = []
    for tag, begin, end, new_begin, new_end in difflib.SequenceMatcher(
            None, old, new, autojunk=len(lines) > MOST_ALIKE).get_opcodes():
        beside = min(begin if tag == "replace" else max(begin - 1, 0), len(lines) - 1)
        more = _indent(lines[beside]) - _indent(old[beside]) if lines else 0
        found += lines[begin:end] if tag == "equal" else [
            " " * max(0, _indent(one) + more) + one.lstrip(" ") for one in new[new_begin:new_end]]
    return "".join(found)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _data(text: str) -> Any:
    """To compare; None: it is no YAML."""
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):          # a date that is none
        return None


def path_of(key: str) -> list[str | int]:
    """The parts of a key one by one: names, numbers, and "+". ConfigError: it is none."""
    path: list[str | int] = []
    at = 0
    while at < len(key) and (found := _PART.match(key, at)):
        path.append(int(found[1]) if (found[1] or "").isdigit() else found[1] or found[2])
        at = found.end()
    if not path or at < len(key):
        raise ConfigError(f"{key!r}: write keys like centre.queues.sales.ring_s or spans[0].url")
    return path


def _joined(path: list[str | int]) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) or one == "+" else f".{one}"
                   for one in path).lstrip(".")


def _rounds(text: str) -> YAML:
    """That writes as the text is written."""
    rounds = YAML()
    rounds.preserve_quotes, rounds.width = True, 100_000
    mapping, offset = 2, 2
    for found in _SECTION.finditer(text):
        if found[2]:
            offset = len(found[1])
        elif found[1]:
            mapping = len(found[1])
    rounds.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    return rounds


def _read(rounds: YAML, text: str, what: str) -> Any:
    try:
        if what != "the candidate" and len(text) > MOST_VALUE:
            raise ConfigError(f"{what}: a value of more than {MOST_VALUE} characters")
        refuse_extremes(text)
        return rounds.load(text)
    except (YAMLError, yaml.YAMLError, ValueError) as error:
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{what}: {' '.join(str(problem).split())}") from None


def _inner(part: Any, name: str | int, key: str, make_for: str | int | None) -> Any:
    """The part `name`; `make_for`: made when it is not there, for what of it comes next."""
    if isinstance(part, CommentedMap):
        name = _key_in(part, name)
        if part.get(name) is None and make_for is not None:
            part[name] = CommentedSeq() if make_for == "+" else CommentedMap()
        if name in part:
            return part[name]
        raise ConfigError(f"{key}: is not there")
    return part[_index(part, name, key)]


def _key_in(part: Any, name: str | int) -> str | int:
    """The key as YAML reads it: 1 where people wrote 1, and also where they wrote "1"."""
    if name in part or not isinstance(name, str):
        return name
    as_number = int(name) if name.isdecimal() and str(int(name)) == name else name
    return next((one for one in part if str(one) == name), as_number)


def _index(part: Any, name: str | int, key: str) -> int:
    if not isinstance(part, CommentedSeq):
        raise ConfigError(f"{key}: what it is in is neither a list nor has keys")
    if isinstance(name, int):
        if name < len(part):
            return name
        raise ConfigError(f"{key}: the list has {len(part)} parts, counted from 0")
    names = [str(one["name"]) for one in part if isinstance(one, CommentedMap) and "name" in one]
    for index, one in enumerate(part):
        if isinstance(one, CommentedMap) and str(one.get("name")) == name:
            return index
    raise ConfigError(f"{key}: there is none of this name, there are {', '.join(names) or 'none with names'}")


def _act(part: Any, path: list[str | int], new: Any, gone: bool) -> None:
    name, key = path[-1], _joined(path)
    if isinstance(part, CommentedMap):
        if not isinstance(name, str):
            raise ConfigError(f"{key}: is not there")
        name = _key_in(part, name)
        if gone and name not in part:
            raise ConfigError(f"{key}: is not there")
        if gone:
            del part[name]
        else:
            part[name] = new
    elif isinstance(part, CommentedSeq) and name == "+" and not gone:
        part.append(new)
    else:
        index = _index(part, name, key)
        if gone:
            del part[index]
        else:
            part[index] = new


def _in_its_place(text: str, path: list[str | int], value: str) -> str | None:
    """With the value where there is one on one line; None: there is none, or this is none."""
    node = _nodes(text)
    for name in path:
        if (found := _node(node, name)) is None:
            return None
        node = found[1]
    begin, end = node.start_mark, node.end_mark
    inline = isinstance(node, yaml.ScalarNode) or node.flow_style
    if not inline or begin.index == end.index or begin.line != end.line:
        return None
    patched = text[:begin.index] + value.strip() + text[end.index:]
    whole = yaml.compose(value, Loader=yaml.CSafeLoader)
    again: Any = None if "\n" in value.strip() or "#" in value else _data(patched)
    if again is None or whole is None or not _same_but(_data(text), again, path, _data(value)):
        return None
    return patched


def _same_but(old: Any, new: Any, path: list[str | int], value: Any) -> bool:
    """Whether `new` is `old` with `value` at the path: what a value could do to the rest of the text."""
    if not path:
        return bool(new == value)
    name = path[0]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        index = name if isinstance(name, int) else next(
            (index for index, one in enumerate(old) if isinstance(one, dict) and one.get("name") == name), -1)
        return 0 <= index < len(old) and _same_but(old[index], new[index], path[1:], value) and all(
            before == after for at, (before, after) in enumerate(zip(old, new, strict=True)) if at != index)
    name = _key_in(old, name) if isinstance(old, dict) else name
    return (isinstance(old, dict) and isinstance(new, dict) and list(old) == list(new) and name in old
            and _same_but(old[name], new[name], path[1:], value)
            and all(old[key] == new[key] for key in old if key != name))


def _without_lines(text: str, path: list[str | int]) -> str | None:
    """Without the lines of the key: comments before and after it stay. None: it has no lines of its own."""
    node = _nodes(text)
    for depth, name in enumerate(path, 1):
        found = _node(node, name)
        if found is None or (depth == len(path) and (node.flow_style or len(node.value) < 2)):
            return None
        start, node = found
    lines = text.splitlines(keepends=True)
    first, last = start.start_mark.line, last_line(node)
    before = lines[first][:start.start_mark.column]
    if before.strip() not in ("", "-") or ("-" in before and isinstance(path[-1], str) and node is not start):
        return None
    return "".join(lines[:first] + lines[last + 1:])


def _nodes(text: str) -> Any:
    try:
        refuse_extremes(text)
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"the candidate: {' '.join(str(error).split())}") from None


def _node(node: Any, name: str | int) -> tuple[Any, Any] | None:
    """Where the part `name` begins, and it."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == name), None)
    if isinstance(node, yaml.SequenceNode):
        for index, one in enumerate(node.value):
            names = [value.value for key, value in one.value if key.value == "name"] \
                if isinstance(one, yaml.MappingNode) else []
            if index == name or name in names:
                return one, one
    return None


def last_line(node: Any) -> int:
    """Of what is written of it: the end of a block is only known by what comes after."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        end = node.end_mark
        return int(end.line - (1 if end.column == 0 and end.line > node.start_mark.line else 0))
    last = node.value[-1]
    return last_line(last[1] if isinstance(last, tuple) else last)
