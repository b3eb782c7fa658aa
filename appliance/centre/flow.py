"""A flow: what a caller hears and may choose, as a graph of nodes in one YAML file. nodes.py runs them."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from appliance.config.load import Mistake, read
from appliance.config.part import Name, Part
from appliance.media import sources, speech

Language = Literal["zh", "en"]
_NAME = r"[a-z0-9-]+(/[a-z0-9-]+)*"
_KINDS = "|".join(["prompt", *sources.KINDS, *speech.CHOICES])


def _a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _an_option(value: object) -> object:
    return {"next": value} if isinstance(value, str) else value


def _playable(name: str) -> str:
    try:
        if speech.is_spoken(name):
            speech.speak(name, "zh")
        elif name.partition(":")[0] in sources.KINDS:
            sources.make(name, sources.loops("cn"))              # every country has the same tones by name
    except (speech.SpeechError, sources.SourceError) as error:
        raise ValueError(str(error)) from None
    return name


# The name of a prompt below the language's folder, or a fragment: silence:500, amount:12.50 CNY
PromptName = Annotated[
    str, Field(pattern=rf"^({_NAME}|({_KINDS})(/[a-z0-9]+)*:[ -~]+)$"), AfterValidator(_playable)]
Prompts = Annotated[list[PromptName], BeforeValidator(_a_list), Field(min_length=1)]


class Node(Part):
    """A step of a flow."""

    def targets(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Where the contact may go from here: (keys below the node, node's name)."""
        yield from ()


class PlayNode(Node):
    """Play to the end or until a digit, which the next node gets if it is a menu."""

    kind: Literal["play"]
    prompt: Prompts
    next: str

    def targets(self) -> Iterator[tuple[tuple[str, ...], str]]:
        yield ("next",), self.next


class Option(Part):
    next: str
    language: Language | None = None              # from here on


class MenuNode(Node):
    """Play, await a digit. After `retries` more tries without a right one: `default`."""

    kind: Literal["menu"]
    prompt: Prompts
    digits: Annotated[
        dict[Annotated[str, Field(pattern=r"^[0-9*#]$")], Annotated[Option, BeforeValidator(_an_option)]],
        Field(min_length=1)]
    timeout_s: Annotated[float, Field(ge=0.5, le=60)] = 5.0          # after the prompt's end
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    invalid: Prompts | None = None                # said before the prompt after a wrong digit
    default: str

    def targets(self) -> Iterator[tuple[tuple[str, ...], str]]:
        for digit, option in self.digits.items():
            yield ("digits", digit, "next"), option.next
        yield ("default",), self.default


class QueueNode(Node):
    """Wait for an agent. Whoever is not rung for after `overflow_s` goes to `next`."""

    kind: Literal["queue"]
    queue: Name
    overflow_s: Annotated[float, Field(ge=1)] | None = None
    next: str | None = None

    def targets(self) -> Iterator[tuple[tuple[str, ...], str]]:
        if self.next is not None:
            yield ("next",), self.next


class HangupNode(Node):
    """The end. As the first node it refuses the call without answering it."""

    kind: Literal["hangup"]
    cause: Annotated[int, Field(ge=1, le=127)] = 16                  # Q.850


class Flow(Part):
    language: Language = "zh"
    start: str
    nodes: dict[Name, Annotated[PlayNode | MenuNode | QueueNode | HangupNode, Field(discriminator="kind")]]


def fragment(name: str, language: str) -> str:
    """What spand is told to play for an entry of Prompts."""
    if ":" not in name:
        return f"prompt:{language}/{name}"
    return speech.in_language(name, language) if speech.is_spoken(name) else name


def load_flow(path: Path, queues: Collection[str]) -> Flow:
    """ConfigError has a line 'file:line: key: what' for every mistake; `queues` are the names that exist."""
    return read(path, Flow, lambda flow: mistakes(flow, queues))


def mistakes(flow: Flow, queues: Collection[str]) -> Iterator[Mistake]:
    """What the schema cannot see: (keys, sentence)."""
    if flow.start not in flow.nodes:
        yield ("start",), _unknown(flow, flow.start)
    for name, node in flow.nodes.items():
        for keys, target in node.targets():
            if target not in flow.nodes:
                yield ("nodes", name, *keys), _unknown(flow, target)
        if isinstance(node, QueueNode):
            if node.queue not in queues:
                yield ("nodes", name, "queue"), (
                    f"no queue is called {node.queue!r}, there are {', '.join(sorted(queues)) or 'none'}")
            if (node.overflow_s is None) != (node.next is None):
                yield ("nodes", name), "overflow_s and next go together: give both or none"
        if _plays_for_ever(flow, name):
            yield ("nodes", name, "next"), "only plays, round and round: let one of the nodes lead elsewhere"
    for name in sorted(flow.nodes.keys() - _reached(flow)):
        yield ("nodes", name), "no node leads here: remove it or let one"


def _unknown(flow: Flow, target: str) -> str:
    return f"no node is called {target!r}, there are {', '.join(sorted(flow.nodes)) or 'none'}"


def _reached(flow: Flow) -> set[str]:
    reached: set[str] = set()
    ahead = [flow.start]
    while ahead:
        name = ahead.pop()
        if name in flow.nodes and name not in reached:
            reached.add(name)
            ahead += [target for _, target in flow.nodes[name].targets()]
    return reached


def _plays_for_ever(flow: Flow, first: str) -> bool:
    """Prompts that cannot be played would end at once, and such a ring would never rest."""
    node: Any = flow.nodes[first]
    for _ in flow.nodes:
        if not isinstance(node, PlayNode):
            return False
        if node.next == first:
            return True
        node = flow.nodes.get(node.next)
    return False
