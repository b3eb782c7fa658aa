"""What the schema of a flow cannot see: names that nothing has, ways that lead nowhere, and loops."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

from appliance.centre.flow.model import (
    RESERVED,
    AuthenticateNode,
    CallbackNode,
    CollectNode,
    Flow,
    HoursNode,
    LookupNode,
    Node,
    NoticeNode,
    PauseNode,
    PlayNode,
    QueueNode,
    ReplayNode,
    ResumeNode,
    SayNode,
    SubflowNode,
    SurveyNode,
    TransferNode,
    VoicemailNode,
)
from appliance.config.load import Mistake


@dataclass(frozen=True, slots=True)
class Known:
    """The names that the configuration has; None: anything may be named."""

    queues: Collection[str] | None = None
    sources: Mapping[str, bool] | None = None     # name -> it may be sent a secret
    calendars: Collection[str] | None = None
    boxes: Collection[str] | None = None
    surveys: Collection[str] | None = None
    agents: Collection[str] | None = None
    trunks: Collection[str] | None = None
    skills: Collection[str] | None = None
    groups: Collection[str] | None = None         # of agents

    def with_queues(self, queues: Collection[str] | None) -> "Known":
        return self if queues is None else replace(self, queues=queues)


NAMES: tuple[tuple[type[Node], str, str], ...] = (                   # node, its key, the field of Known
    (QueueNode, "queue", "queues"), (CallbackNode, "queue", "queues"), (LookupNode, "source", "sources"),
    (AuthenticateNode, "source", "sources"), (HoursNode, "calendar", "calendars"),
    (VoicemailNode, "box", "boxes"), (SurveyNode, "survey", "surveys"), (TransferNode, "agent", "agents"),
    (TransferNode, "trunk", "trunks"), (ReplayNode, "box", "boxes"),
    (NoticeNode, "group", "groups"))
_ONE = {field.name: field.name.removesuffix("s") for field in fields(Known)} | {"boxes": "voicemail box"}


def mistakes(flow: Flow, known: Known) -> Iterator[Mistake]:
    """Of one file: (keys, sentence)."""
    if flow.start not in flow.nodes:
        yield ("start",), _unknown(flow, flow.start)
    for name, node in flow.nodes.items():
        if "/" in name:
            yield ("nodes", name), "a node's name has no /: that is of sub-flows"
        for keys, target in node.targets():
            if target not in flow.nodes:
                yield ("nodes", name, *keys), _unknown(flow, target)
        yield from _names(name, node, known)
        yield from _texts(flow, name, node)
        yield from _secrets(flow, name, node, known)
        if isinstance(node, QueueNode) and (node.overflow_s is None) != (node.next is None):
            yield ("nodes", name), "overflow_s and next go together: give both or none"
        if isinstance(node, SubflowNode) and node.start:
            yield ("nodes", name, "start"), "no such key: the sub-flow's own start is taken"
    yield from _variables(flow)
    yield from _loops(flow)
    for name in sorted(flow.nodes.keys() - _reached(flow)):
        yield ("nodes", name), "no node leads here: remove it or let one"
    for name in sorted(_reached(flow) - _lead_out(flow)):
        yield ("nodes", name), "no way leads out of here: let a node hang up, queue, transfer or return"


def _unknown(flow: Flow, target: str) -> str:
    return f"no node is called {target!r}, there are {', '.join(sorted(flow.nodes)) or 'none'}"


def _names(name: str, node: Node, known: Known) -> Iterator[Mistake]:
    for kind, key, field in NAMES:
        there: Collection[str] | None = getattr(known, field)
        wanted = getattr(node, key) if isinstance(node, kind) else None
        if wanted is not None and there is not None and wanted not in there:
            yield ("nodes", name, key), (
                f"no {_ONE[field]} is called {wanted!r}, there are {', '.join(sorted(there)) or 'none'}")
    if isinstance(node, QueueNode) and known.skills is not None:
        for skill in sorted(node.skills.keys() - set(known.skills)):
            yield ("nodes", name, "skills", skill), (
                f"no agent has the skill {skill!r}, they have {', '.join(sorted(known.skills)) or 'none'}")


def _secrets(flow: Flow, name: str, node: Node, known: Known) -> Iterator[Mistake]:
    """A source whose address would hold it is asked with no secret."""
    secrets = _secret(flow)
    sends = isinstance(node, AuthenticateNode) or (
        isinstance(node, LookupNode) and any(used & secrets for _, used in node.uses()))
    if isinstance(node, AuthenticateNode | LookupNode) and sends and known.sources is not None:
        if not known.sources.get(node.source, True):
            yield ("nodes", name, "source"), (
                f"{node.source!r} would have the secret in its address, where servers log it: "
                "give the source method: POST")


def _secret(flow: Flow) -> set[str]:
    """Variables that hold what nobody may keep: a collect says so, or comes while it is paused."""
    paused = _after(flow, [node.next for node in flow.nodes.values() if isinstance(node, PauseNode)],
                    lambda node: isinstance(node, ResumeNode))
    return {node.to for name, node in flow.nodes.items()
            if isinstance(node, CollectNode) and (node.secret or name in paused)}


def _texts(flow: Flow, name: str, node: Node) -> Iterator[Mistake]:
    if isinstance(node, SayNode):
        for language in sorted(flow.languages - node.text.keys()):
            yield ("nodes", name, "text"), f"has no text in {language}, which the flow can come to speak"


def _variables(flow: Flow) -> Iterator[Mistake]:
    there = {*RESERVED, *flow.variables, *(one for node in flow.nodes.values() for one in node.sets())}
    secrets = _secret(flow)
    for name, node in flow.nodes.items():
        for keys, used in node.uses():
            for secret in sorted(used & secrets if not isinstance(node, LookupNode) else ()):
                yield ("nodes", name, *keys), f"{secret!r} is a secret: only a lookup may send it"
            for variable in sorted(used - there):
                yield ("nodes", name, *keys), (
                    f"nothing sets the variable {variable!r}, there are {', '.join(sorted(there))}: set it "
                    "before, or give it a value below variables")


def _loops(flow: Flow) -> Iterator[Mistake]:
    """Rings of nodes none of which waits: nothing would ever stop a contact there."""
    ways = {name: [target for _, target in node.targets()
                   if target in flow.nodes and not flow.nodes[target].pauses]
            for name, node in flow.nodes.items() if not node.pauses}
    rings = rings_of(ways)
    for name, targets in ways.items():
        if len(rings[name]) > 1 or name in targets:
            if all(isinstance(flow.nodes[one], PlayNode) for one in rings[name]):
                what = "only plays, round and round"
            else:
                what = "leads back here without waiting for anything"
            yield ("nodes", name, *next(iter(flow.nodes[name].targets()))[0]), (
                f"{what}: let one of the nodes lead elsewhere")


def rings_of(ways: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Each with all that it leads to and that lead to it: strong components, as Kosaraju finds them."""
    order: dict[str, None] = {}                   # each after those that it leads to
    seen: set[str] = set()
    for first in ways:
        stack = [(first, iter(ways[first]))] if first not in seen else []
        seen.add(first)
        while stack:
            name, ahead = stack[-1]
            target = next((one for one in ahead if one not in seen), None)
            if target is None:
                order[name] = None
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(ways[target])))
    before, rings = _before(ways), dict[str, set[str]]()
    for first in reversed(order):
        if first not in rings:
            ring, behind = {first}, [first]
            while behind:
                more = [one for one in before.get(behind.pop(), ()) if one not in ring and one not in rings]
                ring.update(more)
                behind += more
            rings |= dict.fromkeys(ring, ring)
    return rings


def _before(ways: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """What leads to each."""
    found: dict[str, list[str]] = {}
    for name, targets in ways.items():
        for target in targets:
            found.setdefault(target, []).append(name)
    return found


def _reached(flow: Flow) -> set[str]:
    return _after(flow, [flow.start], lambda node: False)


def _after(flow: Flow, first: Iterable[str], ends: Callable[[Node], bool]) -> set[str]:
    """These nodes and those that they lead to, up to and with the ones that end it."""
    reached: set[str] = set()
    ahead = list(first)
    while ahead:
        name = ahead.pop()
        if name in flow.nodes and name not in reached:
            reached.add(name)
            if not ends(flow.nodes[name]):
                ahead += [target for _, target in flow.nodes[name].targets()]
    return reached


def _lead_out(flow: Flow) -> set[str]:
    """The nodes from which a contact can come to an end of the flow."""
    before = _before({name: [target for _, target in node.targets()] for name, node in flow.nodes.items()})
    ahead = [name for name, node in flow.nodes.items() if node.ends()]
    found = set(ahead)
    while ahead:
        more = [name for name in before.get(ahead.pop(), ()) if name not in found]
        found.update(more)
        ahead += more
    return found
