"""A flow as a picture: text for a terminal, Mermaid for a page, DOT for Graphviz."""

from collections.abc import Iterator

from appliance.centre.flow.model import Flow, Node, QueueNode, SayNode

SHAPES = {                                        # kind -> DOT's shape, Mermaid's brackets; else a box
    "branch": ("diamond", "{", "}"), "hours": ("diamond", "{", "}"), "menu": ("hexagon", "{{", "}}"),
    "collect": ("hexagon", "{{", "}}"), "authenticate": ("hexagon", "{{", "}}"),
    "queue": ("cylinder", "[(", ")]"),
    "hangup": ("oval", "([", "])"), "return": ("oval", "([", "])"), "transfer": ("oval", "([", "])")}
_BOX = ("box", "[", "]")


def text(flow: Flow) -> list[str]:
    """Every node once, below the first one that leads there."""
    return list(_below(flow, flow.start, "", "", set()))


def mermaid(flow: Flow) -> list[str]:
    lines = ["flowchart TD"]
    ids = {name: f"n{place}" for place, name in enumerate(flow.nodes)}
    for name, node in flow.nodes.items():
        _, left, right = SHAPES.get(_kind(node), _BOX)
        label = _label(name, node).replace('"', "#quot;")
        lines.append(f'    {ids[name]}{left}"{label}"{right}')
    for name, to, way in _edges(flow):
        way = way.replace('"', "#quot;")
        lines.append(f'    {ids[name]} -->|"{way}"| {ids[to]}')
    return lines


def dot(flow: Flow) -> list[str]:
    lines = ["digraph flow {", "    node [fontname=sans fontsize=10]; edge [fontname=sans fontsize=9];"]
    for name, node in flow.nodes.items():
        shape = SHAPES.get(_kind(node), _BOX)[0]
        lines.append(f"    {_quoted(name)} [shape={shape} label={_quoted(_label(name, node))}];")
    lines += [f"    {_quoted(name)} -> {_quoted(to)} [label={_quoted(way)}];"
              for name, to, way in _edges(flow)]
    return [*lines, "}"]


def _below(flow: Flow, name: str, way: str, indent: str, drawn: set[str]) -> Iterator[str]:
    node = flow.nodes[name]
    arrow = f"{way} -> " if way else ""
    if name in drawn:
        yield f"{indent}{arrow}{name} (above)"
        return
    drawn.add(name)
    yield f"{indent}{arrow}{_label(name, node)}"
    for one, to, onward in _edges(flow):
        if one == name:
            yield from _below(flow, to, onward, indent + "  ", drawn)


def _edges(flow: Flow) -> Iterator[tuple[str, str, str]]:
    """From, to, and what leads there."""
    for name, node in flow.nodes.items():
        above = name.rpartition("/")[0]
        if _kind(node) == "flow":
            yield name, f"{name}/{getattr(node, 'start', '')}", "through"
        for keys, target in node.targets():
            words = [str(key) for key in keys if key not in ("digits", "cases", "next")]
            if keys[0] == "cases":
                words = [f"case {int(keys[1]) + 1}"]
            yield name, f"{above}/{target}" if above else target, " ".join(words) or "next"


def _label(name: str, node: Node) -> str:
    about = ""
    if isinstance(node, QueueNode):
        about = node.queue
    elif isinstance(node, SayNode):
        about = next(iter(node.text.values()))
    else:
        about = " ".join(node.plays())
    shown = about if len(about) <= 40 else about[:39] + "…"
    return f"{name} [{_kind(node)}]" + (f" {shown}" if shown else "")


def _kind(node: Node) -> str:
    return str(getattr(node, "kind", ""))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
