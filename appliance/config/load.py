"""YAML file -> checked document, or a ConfigError that names file, line and key of every mistake.

Of YAML is read what such a document needs: keys are text as they are written, each there once; no aliases.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from appliance.config import callbacks, entrance, quality
from appliance.config.lines import trunk_mistakes
from appliance.config.part import IN_WORDS
from appliance.config.schema import Config
from appliance.errors import ConfigError

MAX_OCTETS = 1024 * 1024
MAX_DEPTH = 20                                    # libyaml's composer has no limit of its own: it would crash
MAX_SCALAR = 4000                                 # characters
MOST_MISTAKES = 50                                # said; of more there is the count
MOST_JUDGED = 200                                 # of a document: each is looked for in it

M = TypeVar("M", bound=BaseModel)

Mistake = tuple[Sequence[int | str], str]         # keys that lead to it, what is wrong


class Fault(NamedTuple):
    """A mistake and where it is written. `line` from 1; 0: nobody knows."""

    line: int
    keys: list[int | str]                         # of the document; [] of all of it
    place: str                                    # "line: keys: ", as people are told
    text: str


def load(path: Path, text: str | None = None) -> Config:
    """The box's configuration; paths in it come out absolute. ConfigError otherwise.

    `text` is read as if it were in the file.
    """
    config = read(path, Config, lambda config: [*trunk_mistakes(config.spans, config.trunks),
                                                *entrance.mistakes(config), *_of_callbacks(config),
                                                *_of_quality(config)], text)
    base = path.resolve().parent
    media = config.media.model_copy(update={"prompts": str(base / config.media.prompts)})
    sources = [source.model_copy(update={"table": str(base / source.table)}) if source.table else source
               for source in config.centre.sources]
    centre = entrance.placed(config.centre, base).model_copy(update={"sources": sources})
    forms = config.quality.model_copy(update={"forms": str(base / config.quality.forms)})
    archive = config.archive.placed(base)
    return config.model_copy(update={
        "media": media, "centre": centre, "quality": forms, "archive": archive,
        "snmp": config.snmp.placed(base), "syslog": config.syslog.placed(base)})


def _of_callbacks(config: Config) -> Iterable[Mistake]:
    centre = config.centre
    return callbacks.mistakes(
        centre.callbacks, centre.voicemail, centre.surveys, trunks={span.trunk for span in config.spans},
        queues=[queue.name for queue in centre.queues], agents=[agent.name for agent in centre.agents],
        calendars=[calendar.name for calendar in centre.calendars])


def _of_quality(config: Config) -> Iterable[Mistake]:
    return quality.mistakes(config.quality, queues=[queue.name for queue in config.centre.queues],
                            agents=[agent.name for agent in config.centre.agents])


def read(path: Path, kind: type[M], check: Callable[[M], Iterable[Mistake]] | None = None,
         text: str | None = None) -> M:
    """One YAML document of schema `kind`. ConfigError has a line 'file:line: key: what' for every mistake.

    `check` finds what the schema cannot see; `text` is read as if it were in the file.
    """
    found, faults, total = judged(text_of(path) if text is None else text, kind, check)
    if faults or found is None:
        lines = [f"{path}:{one.place}{one.text}" for one in faults[:MOST_MISTAKES]]
        if len(faults) > MOST_MISTAKES:
            lines.append(f"{path}: and {total - MOST_MISTAKES} mistakes more")
        raise ConfigError("\n".join(lines))
    return found


def judged(text: str, kind: type[M],
           check: Callable[[M], Iterable[Mistake]] | None = None) -> tuple[M | None, list[Fault], int]:
    """As read(): the document as far as the schema takes it, the first mistakes, and how many there are."""
    try:
        refuse_extremes(text)
        tree, document = _parse(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Fault(line, [], f"{line}: ", str(error.problem))], 1
    except yaml.YAMLError as error:
        return None, [Fault(0, [], " ", " ".join(str(error).split()))], 1
    found: M | None = None
    try:
        found = kind.model_validate(document)
        mistakes = list(check(found)) if check else []
        total = len(mistakes)
    except ValidationError as error:
        total = error.error_count()
        mistakes = [(_written(tree, one["loc"]), _in_words(one, tree, kind))
                    for one in error.errors()[:MOST_JUDGED]]
    return found, [Fault(_follow(tree, keys)[0], list(keys), _place(tree, keys), what)
                   for keys, what in mistakes[:MOST_JUDGED]], total


def text_of(path: Path) -> str:
    """All of the file. ConfigError: it cannot be read, is too large, or no UTF-8."""
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(octets) > MAX_OCTETS:
        raise ConfigError(f"{path}: larger than {MAX_OCTETS} octets, this cannot be it")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: octet {error.start}: not UTF-8, save the file as UTF-8") from None


def refuse_extremes(text: str) -> None:
    """What would cost the composer its stack, or anybody behind it memory: looked for event by event."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _mistake(event, f"nested more than {MAX_DEPTH} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            raise _mistake(event, f"*{event.anchor}: aliases are not read here: write it out")
        elif isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_SCALAR:
            raise _mistake(event, f"a text of more than {MAX_SCALAR} characters")


def _mistake(at: Any, what: str) -> yaml.MarkedYAMLError:
    """`at`: an event or a node."""
    return yaml.MarkedYAMLError(problem=what, problem_mark=at.start_mark)


class _Loader(yaml.CSafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake(key, "a key is one word")
            if key.value in found:
                raise _mistake(key, f"{key.value}: is there twice")
            found[key.value] = self.construct_object(value, deep=deep)
        return found

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:               # looks like a date or a number and is none
            raise _mistake(node, f"{node.value}: {error}: if it is a text write it in quotes") from None


def _parse(text: str) -> tuple[yaml.Node | None, Any]:
    """The one document as nodes, which know their lines, and as values."""
    loader = _Loader(text)
    try:
        tree = loader.get_single_node()
        return tree, None if tree is None else loader.construct_document(tree)
    finally:
        loader.dispose()


def values_of(text: str) -> Any:
    """The document's values as the schema gets them. yaml.YAMLError: it is none."""
    refuse_extremes(text)
    return _parse(text)[1]


def _in_words(error: ErrorDetails, tree: yaml.Node | None, kind: type[BaseModel]) -> str:
    _, _, node = _follow(tree, error["loc"])
    wanted = IN_WORDS.get(error.get("ctx", {}).get("pattern", ""))
    if wanted:
        return f"{error['input']!r}: write {wanted}"
    if error["type"] == "extra_forbidden":
        keys = _keys(kind, error["loc"][:-1])
        return f"no such key, there are {', '.join(keys)}" if keys else "no such key"
    if error["type"] == "list_type" and isinstance(node, yaml.ScalarNode):
        return f"write a list: [{node.value}]"
    if error["type"] == "list_type" and isinstance(node, yaml.MappingNode):
        return "write a list: - before each"
    if error["type"] == "union_tag_not_found":
        return f"{error['ctx']['discriminator']} is missing: which one is it?"
    if error["type"] == "string_type" and isinstance(node, yaml.ScalarNode):     # 5001, 0501, no, 12:30
        return f'YAML does not read {node.value} as text: write it in quotes, "{node.value}"'
    return error["msg"].removeprefix("Value error, ")


def _keys(kind: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Those of the part that `location` leads to; none where parts of several kinds may be."""
    for part in location:
        if isinstance(part, str):
            field = kind.model_fields.get(part)
            inner = None if field is None else field.annotation
            found = [one for one in (inner, *get_args(inner))
                     if isinstance(one, type) and issubclass(one, BaseModel)]
            if len(found) != 1:
                return []
            kind = found[0]
    return sorted(kind.model_fields)


def _place(tree: yaml.Node | None, location: Sequence[int | str]) -> str:
    """'line: key: ' of the deepest node that `location` leads to."""
    line, keys, _ = _follow(tree, location)
    return f"{line}: {keys}: " if keys else f"{line}: "


def _follow(node: yaml.Node | None, location: Sequence[int | str]) -> tuple[int, str, yaml.Node | None]:
    """The deepest node that `location` leads to: its line, the keys on the way, itself."""
    line = node.start_mark.line + 1 if node else 1
    keys = ""
    for depth, part in enumerate(location, 1):
        if isinstance(node, yaml.MappingNode):
            wanted = str(part)
            found = next(((key, value) for key, value in node.value if key.value == wanted), None)
            if found:
                line, node = found[0].start_mark.line + 1, found[1]
            elif depth < len(location):           # not a key: which kind of a union the schema took
                continue
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        keys += f"[{part}]" if isinstance(part, int) else f".{part}"
    return line, keys.lstrip("."), node


def _written(node: yaml.Node | None, location: Sequence[int | str]) -> Sequence[int | str]:
    """The keys of the document in a schema's location, which also has the `kind` of parts that have one."""
    keys: list[int | str] = []
    kind: str | None = None
    for part in location:
        if part == kind:
            kind = None
            continue
        keys.append(part)
        _, _, node = _follow(node, [part])
        inner = node.value if isinstance(node, yaml.MappingNode) else ()
        kind = next((str(value.value) for key, value in inner if key.value == "kind"), None)
    return keys
