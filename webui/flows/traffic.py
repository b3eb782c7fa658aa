"""How many came to each node of a flow, and which way they went on, out of acdd's figures of nodes. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from appliance.bus.messages import FigureRow
from appliance.bus.messages.flows import FlowFile, FlowNode

DEEPEST = 4                                       # flows in flows
FIGURES = ("entered",)
HUNG_UP = "hung up"
# Which way a reason took that is not named after one: the first that the node has.
OTHERWISE: dict[str, tuple[str, ...]] = {
    "error": ("error", "failed", "next"), "missing": ("missing", "error"),
    "locked": ("failed",), "no number": ("failed",), "no digit": ("failed",), "nobody": ("failed",),
    "not confirmed": ("failed", "next"), "digit *": ("next",),
}
REST = ("next", "refused", "failed", "default")


def places(file: str, flows: Sequence[FlowFile], deep: int = DEEPEST) -> list[tuple[str, str]]:
    """Under which flows, and before which names, its nodes count: its own, and of those that lead there."""
    found = [(file, "")]
    own = next((one for one in flows if one.file == file), None)
    for use in own.used_by if own and deep > 1 else ():
        above, there, node = use.partition(": nodes.")
        if there and above != file:
            found += [(flow, f"{before}{node}/") for flow, before in places(above, flows, deep - 1)]
    return found


def of(file: str, flows: Sequence[FlowFile], nodes: Iterable[FlowNode],
       rows: Iterable[FigureRow]) -> dict[str, dict[str, Any]]:
    """Node -> entered, left here by hanging up, and by the place of a way how many took it."""
    files = [one.file for one in flows]
    counted = _counted(places(file, flows), files, rows)
    found: dict[str, dict[str, Any]] = {}
    for node in nodes:
        entered, sums = counted.get(node.name, (0, {}))
        ways = [0] * len(node.ways)
        names = [way_name(way.keys) for way in node.ways]
        for what, count in sums.items():
            place = _way(what.removeprefix("by/"), names) if what.startswith("by/") else None
            if place is not None:
                ways[place] += count
        found[node.name] = {"entered": entered, "hung_up": sums.get(HUNG_UP, 0), "ways": ways}
    return found


def _counted(places_of: list[tuple[str, str]], files: list[str],
             rows: Iterable[FigureRow]) -> dict[str, tuple[int, dict[str, int]]]:
    found: dict[str, tuple[int, dict[str, int]]] = {}
    for row in rows:
        path, _, name = row.name.rpartition(": ")
        flow = _file(path, files)
        for file, before in places_of:
            inner = name.removeprefix(before)
            if flow != file or not name.startswith(before) or "/" in inner or not row.values:
                continue
            entered, sums = found.get(inner, (0, {}))
            more = dict(sums)
            for one in row.sums:
                more[one.what] = more.get(one.what, 0) + one.count
            found[inner] = (entered + int(row.values[0].top), more)
    return found


def _file(path: str, files: list[str]) -> str:
    """acdd names a flow by its whole path."""
    matching = [file for file in files if path == file or path.endswith(f"/{file}")]
    return max(matching, key=len, default="")


def way_name(keys: Sequence[int | str]) -> str:
    """As acdd says by which way a caller went."""
    if len(keys) > 1 and keys[0] == "digits":
        return f"digit {keys[1]}"
    if len(keys) > 1 and keys[0] == "cases":
        return f"case {int(keys[1]) + 1}" if str(keys[1]).isdigit() else "case"
    return str(keys[0]) if keys else ""


def _way(by: str, names: list[str]) -> int | None:
    for name in (by, *OTHERWISE.get(by, ()), *REST):
        if name in names:
            return names.index(name)
    return None
