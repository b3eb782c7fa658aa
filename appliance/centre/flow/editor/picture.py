"""A flow's text as a picture, also while it is wrong: what of it can be read is drawn."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from appliance.bus.messages.flows import FlowMistake, FlowNode, FlowPicture, FlowWay, Key
from appliance.centre.flow.editor import layout
from appliance.centre.flow.editor.fields import Kind, kinds
from appliance.centre.flow.model import FARTHEST
from appliance.centre.flow.prompts import LANGUAGES, fragment
from appliance.config.load import refuse_extremes

MOST_ABOUT = 120                                  # characters
MOST_COMMENT = 1000
MOST_MISTAKES = 100
MOST_NODES = 1000

_ABOUT = ("text", "prompt", "queue", "source", "calendar", "survey", "box", "file", "agent", "number",
          "language", "by", "do", "what", "valid", "cause")          # the first that is given


@dataclass(frozen=True, slots=True)
class Way:
    """A wire as it is written: `node` is where; None: it is not."""

    keys: tuple[Key, ...]                         # below the node of the flow
    node: yaml.ScalarNode | None
    required: bool

    @property
    def to(self) -> str:
        return self.node.value if self.node is not None else ""


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the flow as it is written."""

    name: str
    key: yaml.ScalarNode
    value: yaml.Node
    kind: Kind | None
    ways: tuple[Way, ...]


def tree_of(text: str) -> yaml.MappingNode | None:
    """None: no YAML, or none that has keys."""
    try:
        refuse_extremes(text)
        found = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    return found if isinstance(found, yaml.MappingNode) else None


def steps(tree: yaml.MappingNode) -> list[Step]:
    found: dict[str, Step] = {}
    for key, value in _pairs(part(tree, "nodes")):
        given = part(value, "kind")
        kind = kinds().get(given.value) if isinstance(given, yaml.ScalarNode) else None
        found.setdefault(key.value, Step(key.value, key, value, kind, tuple(_ways(value, kind))))
    return list(found.values())


def part(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _pairs(node) if key.value == name), None)


def picture(text: str, mistakes: Sequence[FlowMistake], texts: Mapping[str, str]) -> FlowPicture:
    """`texts`: of prompts, e.g. "zh/greeting", what they say."""
    tree = tree_of(text)
    found = steps(tree)[:MOST_NODES] if tree is not None else []
    language = _word(tree, "language") or LANGUAGES[0]
    lines = text.splitlines()
    edges = {step.name: [way.to for way in step.ways if way.to] for step in found}
    heights = {step.name: layout.height(len(step.ways) + _may_have_more(step)) for step in found}
    placed = {name: place for name, place in _placed(part(tree, "drawing")) if name in edges}
    where = layout.places(_word(tree, "start"), edges, heights, placed)
    spoken = {one.value for step in found for one in _prompts(step)}
    names = {name for one in spoken for language_ in LANGUAGES
             if (name := fragment(one, language_).removeprefix("prompt:")) in texts}
    return FlowPicture(
        start=_word(tree, "start"), language=language, mistakes=list(mistakes[:MOST_MISTAKES]),
        prompts={name: texts[name] for name in sorted(names)},
        nodes=[FlowNode(
            name=step.name, kind=_word(step.value, "kind"), line=step.key.start_mark.line + 1,
            x=where[step.name][0], y=where[step.name][1], placed=step.name in placed,
            about=_about(step, language, texts),
            ways=[FlowWay(keys=list(way.keys), to=way.to, required=way.required) for way in step.ways],
            fields=[one.shown(_source(text, part(step.value, one.name)), ())
                    for one in (step.kind.written if step.kind else ())],
            comment=_above(lines, step.key.start_mark.line)) for step in found])


def _ways(node: yaml.Node, kind: Kind | None) -> Iterator[Way]:
    """In the order of what people think of: digits, cases, then the others."""
    for digit, option in _pairs(part(node, "digits")):
        if isinstance(option, yaml.MappingNode):
            yield Way(("digits", digit.value, "next"), _scalar(part(option, "next")), True)
        else:
            yield Way(("digits", digit.value), _scalar(option), True)
    cases = part(node, "cases")
    for place, case in enumerate(cases.value if isinstance(cases, yaml.SequenceNode) else ()):
        yield Way(("cases", place, "next"), _scalar(part(case, "next")), True)
    for one in kind.ways if kind else ():
        yield Way((one.name,), _scalar(part(node, one.name)), one.required)


def _may_have_more(step: Step) -> bool:
    """Digits or cases: there is a place to draw another wire from."""
    return step.kind is not None and any(one.name in ("digits", "cases") for one in step.kind.fields)


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def _scalar(node: yaml.Node | None) -> yaml.ScalarNode | None:
    return node if isinstance(node, yaml.ScalarNode) else None


def _word(node: yaml.Node | None, name: str) -> str:
    found = part(node, name)
    return found.value if isinstance(found, yaml.ScalarNode) else ""


def _placed(drawing: yaml.Node | None) -> Iterator[tuple[str, tuple[int, int]]]:
    for key, value in _pairs(drawing):
        ends = value.value if isinstance(value, yaml.SequenceNode) else []
        numbers = [one.value for one in ends if isinstance(one, yaml.ScalarNode)]
        if len(ends) == 2 and all(one.lstrip("-").isdecimal() and len(one) < 8 for one in numbers):
            x, y = (max(-FARTHEST, min(int(one), FARTHEST)) for one in numbers)
            yield key.value, (x, y)


def _prompts(step: Step) -> Iterator[yaml.ScalarNode]:
    for one in step.kind.written if step.kind else ():
        if one.shape == "prompts":
            found = part(step.value, one.name)
            inner = found.value if isinstance(found, yaml.SequenceNode) else [found]
            yield from (name for name in inner if isinstance(name, yaml.ScalarNode))


def _about(step: Step, language: str, texts: Mapping[str, str]) -> str:
    for key in _ABOUT:
        found = part(step.value, key)
        if isinstance(found, yaml.MappingNode):   # a text for each language
            found = part(found, language) or next((value for _, value in _pairs(found)), None)
        words = found.value if isinstance(found, yaml.SequenceNode) else [found]
        said = [one.value for one in words if isinstance(one, yaml.ScalarNode) and one.value]
        if key == "prompt":
            said = [texts.get(fragment(one, language).removeprefix("prompt:"), one) for one in said]
        if said:
            text = " ".join(" ".join(said).split())
            return text if len(text) <= MOST_ABOUT else f"{text[:MOST_ABOUT - 1]}…"
    return ""


def _source(text: str, node: yaml.Node | None) -> str:
    """As it is written, without what it is indented by."""
    if node is None:
        return ""
    begin = node.start_mark
    return textwrap.dedent(" " * begin.column + text[begin.index:node.end_mark.index]).strip()


def _above(lines: Sequence[str], line: int) -> str:
    """The comment lines right before a line."""
    found: list[str] = []
    while line > 0 and (text := lines[line - 1].strip()).startswith("#"):
        found.insert(0, text.removeprefix("#").strip())
        line -= 1
    return "\n".join(found)[:MOST_COMMENT]
