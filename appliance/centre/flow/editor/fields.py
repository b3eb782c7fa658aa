"""Kinds of nodes as an editor has them: what may be written into each, out of the schema itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from appliance.bus.messages.flows import FlowField, FlowKind, FlowWay
from appliance.centre.flow.lint import NAMES
from appliance.centre.flow.model import (
    WAYS,
    AgentNode,
    AnyNode,
    Case,
    Expression,
    KeptName,
    Node,
    Options,
    SubflowNode,
    Target,
    Texts,
)
from appliance.centre.flow.prompts import Language, Prompts

_ONE = {"boxes": "box"}                           # a field of Known -> one of them; else without its s
_SAMPLES = {                                      # what a new node says until a person says better
    "prompts": ["silence:500"], "texts": {"zh": "您好", "en": "Hello"}, "map": {"value": "1"}}
_FIRST: dict[str, dict[str, Any]] = {             # what a kind needs though no field of it is required
    "language": {"language": "zh"}, "transfer": {"agent": ""}, "agent": {"do": "ready"}}
_ABOUT = {
    "play": "Play prompts to the end or until a digit.",
    "say": "Speak a text by the speech engine.",
    "menu": "Play, then await a digit that chooses the way.",
    "collect": "Play, then take digits into a variable.",
    "set": "Give variables values.",
    "branch": "Go the way of the first condition that holds.",
    "lookup": "Ask a source of the configuration.",
    "authenticate": "Have a customer number and a PIN keyed in and checked.",
    "language": "Go on in another language.",
    "hours": "Open or closed now, by a calendar.",
    "agent": "Log an agent in or out, or make him ready or not, from a telephone of the box.",
    "queue": "Wait for an agent.",
    "transfer": "Ring a number or an agent and connect.",
    "voicemail": "Take a message for a box.",
    "callback": "Promise to call back for a queue.",
    "survey": "Ask the questions of a survey.",
    "notice": "Show people a notice on their pages.",
    "record": "Record what the caller says.",
    "replay": "Play recordings to a caller who has shown who he is.",
    "pause": "From here on nobody hears or keeps the caller's keys: for card data.",
    "resume": "End what a pause began.",
    "flow": "Go through another flow file.",
    "return": "Of a sub-flow: back to the node that led here.",
    "hangup": "End the call."}

Choices = Mapping[str, Sequence[str]]             # what is named, as FlowField.of -> the names that there are


@dataclass(frozen=True, slots=True)
class Field:
    """One of a kind of node. `bare`: its type without None and bounds."""

    name: str
    shape: Literal["way", "text", "number", "yes-no", "choice", "texts", "prompts", "map", "yaml"]
    required: bool
    default: str
    of: str = ""
    bare: Any = None
    literals: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    def shown(self, value: str, names: Sequence[str]) -> FlowField:
        shape = "text" if self.shape == "way" else self.shape
        return FlowField(name=self.name, shape=shape, value=value, default=self.default,
                         required=self.required, least=self.least, most=self.most, of=self.of,
                         choices=list(self.literals or names))


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    node: type[Node]
    fields: tuple[Field, ...] = field(default_factory=tuple)

    @property
    def ways(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.shape == "way")

    @property
    def written(self) -> tuple[Field, ...]:
        """All others."""
        return tuple(one for one in self.fields if one.shape != "way")


@cache
def kinds() -> Mapping[str, Kind]:
    """By name, in the order of the schema."""
    found = {}
    for node in get_args(get_args(AnyNode)[0]):
        hints = get_type_hints(node, include_extras=True)
        name = get_args(hints["kind"])[0]
        found[name] = Kind(name, node, tuple(
            _field(node, one, hints[one], info) for one, info in node.model_fields.items()
            if one != "kind" and not (node is SubflowNode and one == "start")))
    return found


def shown_kinds(choices: Choices) -> list[FlowKind]:
    return [FlowKind(
        kind=kind.name, template=_template(kind, choices), about=_ABOUT.get(kind.name, ""),
        ways=[FlowWay(keys=[one.name], to="", required=one.required) for one in kind.ways],
        fields=[one.shown("", choices.get(one.of, ())) for one in kind.written]) for kind in kinds().values()]


def one_line(value: Any) -> str:
    """As YAML."""
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9,
                               sort_keys=False)
    return text.removesuffix("...\n").strip()


def _field(node: type[Node], name: str, hint: Any, info: FieldInfo) -> Field:
    bare, extras = _bare(hint)
    bounds = {key: value for key, value in _bounds([*extras, *info.metadata])}
    default = "" if info.is_required() else one_line(info.get_default(call_default_factory=True))
    shape, literals = _shape(name, bare)
    return Field(
        name, shape, info.is_required(), "" if default in ("null", "''", "{}", "[]") else default,
        of=_of(node, name, bare), bare=bare, literals=literals,
        least=bounds.get("ge") if shape == "number" else None,
        most=bounds.get("le") if shape == "number" else None)


def _bare(hint: Any) -> tuple[Any, list[Any]]:
    """Without None; and what Annotated says of what is left."""
    if get_origin(hint) in (Union, UnionType):
        inner = [one for one in get_args(hint) if one is not type(None)]
        if len(inner) == 1:
            return _bare(inner[0])
    return hint, list(get_args(hint)[1:]) if get_origin(hint) is Annotated else []


def _bounds(extras: Sequence[Any]) -> Iterator[tuple[str, float]]:
    for one in extras:
        inner = one.metadata if isinstance(one, FieldInfo) else [one]
        for bound in inner:
            for key in ("ge", "le"):
                if (value := getattr(bound, key, None)) is not None:
                    yield key, float(value)


def _shape(name: str, bare: Any) -> tuple[Any, tuple[str, ...]]:
    inner = get_args(bare)[0] if get_origin(bare) is Annotated else bare
    if bare == Target and name in WAYS:
        return "way", ()
    if bare == Prompts:
        return "prompts", ()
    if bare == Texts:
        return "texts", ()
    if get_origin(inner) is Literal:
        return "choice", tuple(map(str, get_args(inner)))
    if inner is bool:
        return "yes-no", ()
    if inner in (int, float):
        return "number", ()
    if inner is str:
        return "text", ()
    if get_origin(inner) is dict and _is_scalar(get_args(inner)[1]):
        return "map", ()
    return "yaml", ()


def _is_scalar(hint: Any) -> bool:
    return (get_args(hint)[0] if get_origin(hint) is Annotated else hint) in (str, int, float, bool)


def _of(node: type[Node], name: str, bare: Any) -> str:
    for kind, key, known in NAMES:
        if issubclass(node, kind) and key == name:
            return _ONE.get(known, known.removesuffix("s"))
    if node is AgentNode and name == "reason":
        return "reason"
    if node is SubflowNode and name == "file":
        return "file"
    if name == "skills":
        return "skill"
    named = {"prompt": (Prompts, KeptName), "expression": (Expression,), "language": (Language,)}
    return next((what for what, types in named.items() if bare in types), "")


def _template(kind: Kind, choices: Choices) -> str:
    """A node that only lacks where its ways lead, and names that the configuration has none of."""
    wanted = _FIRST.get(kind.name, {})
    values: dict[str, Any] = {"kind": kind.name} | wanted
    for one in kind.fields:
        if (one.required and one.name not in wanted) or wanted.get(one.name) == "":
            there = () if one.shape in _SAMPLES else choices.get(one.of, ())
            values[one.name] = next(iter(there), None) or _sample(one)
    text = one_line(values)
    return text if len(text) <= 100 else yaml.safe_dump(
        values, allow_unicode=True, sort_keys=False, default_flow_style=None, width=100)


def _sample(one: Field) -> Any:
    if one.shape in _SAMPLES:
        return _SAMPLES[one.shape]
    if one.shape in ("choice", "number"):
        return one.literals[0] if one.literals else one.least or 0
    inner = get_args(one.bare)[0] if get_origin(one.bare) is Annotated else one.bare
    if inner == Options:
        return {"1": ""}
    if inner == list[Case]:
        return [{"when": "true", "next": ""}]
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return {"prompt": _SAMPLES["prompts"]}    # of an Entry
    return {"to": "value", "by": "{value}"}.get(one.name, "")
