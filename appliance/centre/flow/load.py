"""A flow's YAML file, and those of its sub-flows, as one checked Flow."""

from collections.abc import Collection
from pathlib import Path

from appliance.centre.flow.lint import Known, mistakes
from appliance.centre.flow.model import Flow, Node, ReturnNode, SubflowNode
from appliance.config.load import Fault, Mistake, judged, read
from appliance.errors import ConfigError

DEPTH_MOST = 3                                    # sub-flows in sub-flows
NODES_MOST = 1000                                 # of a flow with all that it leads through
ONLY_SUBFLOWS = "only a sub-flow returns, this one is called itself: write kind: hangup"


def load_flow(path: Path, queues: Collection[str] | None, known: Known | None = None) -> Flow:
    """ConfigError has a line 'file:line: key: what' for every mistake.

    `queues` and `known`: the names that exist, None where anything may.
    """
    there = (known or Known()).with_queues(queues)
    flow = _read(path, there, ())
    for name, node in flow.nodes.items():
        if isinstance(node, ReturnNode) and "/" not in name:
            raise ConfigError(f"{path}: nodes.{name}: {ONLY_SUBFLOWS}")
    return flow


def look_at(path: Path, text: str, known: Known, called: bool) -> tuple[Flow | None, list[Fault]]:
    """As load_flow of `text`, as if it were in the file, but with all mistakes; `called`: calls enter there.

    No flow: it has mistakes.
    """
    inner: dict[str, Flow] = {}

    def check(flow: Flow) -> list[Mistake]:
        wrong = _wrong(flow, path, known, (), inner, gently=True)
        return wrong + [(("nodes", name), ONLY_SUBFLOWS) for name, node in flow.nodes.items()
                        if called and isinstance(node, ReturnNode)]

    flow, faults, _ = judged(text, Flow, check)
    return (None if flow is None or faults else _joined(flow, inner) if inner else flow), faults


def load_subflow(path: Path, queues: Collection[str] | None, known: Known | None = None) -> Flow:
    """As load_flow; one that returns is all right."""
    return _read(path, (known or Known()).with_queues(queues), ())


def _read(path: Path, known: Known, above: tuple[Path, ...]) -> Flow:
    inner: dict[str, Flow] = {}

    flow = read(path, Flow, lambda flow: _wrong(flow, path, known, above, inner))
    return _joined(flow, inner) if inner else flow


def _wrong(flow: Flow, path: Path, known: Known, above: tuple[Path, ...], inner: dict[str, Flow],
           gently: bool = False) -> list[Mistake]:
    """What is wrong with a flow; `inner` gets its sub-flows. `gently`: theirs are mistakes of the node.

    ConfigError: a sub-flow is wrong.
    """
    if len(flow.nodes) > NODES_MOST:
        return [(("nodes",), f"{len(flow.nodes)} nodes: {NODES_MOST} are the most")]
    wrong = list(mistakes(flow, known))
    for name, node in flow.nodes.items():
        if isinstance(node, SubflowNode):
            below = path.parent / node.file
            if not below.resolve().is_relative_to((above or (path,))[0].parent.resolve()):
                wrong.append((("nodes", name, "file"), f"{node.file} leads out of the flow's folder: "
                              "sub-flows are there or in folders below it"))
            elif below.resolve() in (one.resolve() for one in (*above, path)):
                wrong.append((("nodes", name, "file"), "leads into itself: a flow may not call itself"))
            elif len(above) == DEPTH_MOST:
                wrong.append((("nodes", name, "file"), f"more than {DEPTH_MOST} sub-flows deep"))
            else:
                try:
                    inner[name] = _read(below, known, (*above, path))
                except ConfigError as error:
                    if not gently:
                        raise
                    wrong += [(("nodes", name, "file"), line) for line in str(error).splitlines()]
    total = len(flow.nodes) + sum(len(one.nodes) for one in inner.values())
    if total > NODES_MOST:
        wrong.append((("nodes",), f"{total} nodes with those of sub-flows: {NODES_MOST} are the most"))
    return wrong


def _joined(flow: Flow, inner: dict[str, Flow]) -> Flow:
    """The sub-flows' nodes beside their own, as NODE/NAME."""
    nodes: dict[str, Node] = {}
    variables = dict(flow.variables)
    for name, node in flow.nodes.items():
        if isinstance(node, SubflowNode):
            below = inner[name]
            nodes[name] = node.model_copy(update={"start": below.start})
            nodes |= {f"{name}/{one}": part for one, part in below.nodes.items()}
            variables = below.variables | variables
        else:
            nodes[name] = node
    return flow.model_copy(update={"nodes": nodes, "variables": variables})
