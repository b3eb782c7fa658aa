"""Where nodes are drawn that nobody has placed: in columns from left to right, by what leads to what. Pure.

Longest ways first (loops left out), then each column in the order of its neighbours' middles, as Sugiyama
does it. The same flow is drawn the same each time.
"""

from collections.abc import Mapping, Sequence

X, Y, COLUMN, GAP, GRID = 40, 40, 300, 30, 10     # pixels
WIDTH, HEAD, ROW = 216, 56, 24
SWEEPS = 4

Box = tuple[int, int, int]                        # upper, lower and left edge


def height(ways: int) -> int:
    """Of a node that so many wires leave from."""
    return HEAD + ROW * max(1, ways)


def places(start: str, edges: Mapping[str, Sequence[str]], heights: Mapping[str, int],
           placed: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Of all nodes, which are the keys of `edges`: of those that are `placed` that place."""
    columns = _ordered(_columns(start, edges), edges)
    fixed = sorted((y, y + heights[name], x) for name, (x, y) in placed.items())
    found = dict(placed)
    for number, column in enumerate(columns):
        x, y = X + COLUMN * number, Y
        beside = [box for box in fixed if abs(box[2] - x) < WIDTH + GAP]
        for name in column:
            if name in placed:
                continue
            y = _free(y, heights[name], beside)
            found[name] = (x, y)
            y = _up(y + heights[name] + GAP)
    return found


def _free(y: int, height_px: int, beside: Sequence[Box]) -> int:
    """The first row from `y` on where nobody has placed another one."""
    for upper, lower, _ in beside:
        if upper < y + height_px + GAP and y < lower + GAP:
            y = _up(lower + GAP)
    return y


def _up(y: int) -> int:
    return -(-y // GRID) * GRID


def _columns(start: str, edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    forward: dict[str, list[str]] = {name: [] for name in edges}
    met: dict[str, None] = {}                     # in the order of the ways
    order: dict[str, None] = {}                   # each after all that it leads to, loops left out
    for first in ([start] if start in edges else []) + list(edges):
        if first not in met:
            _descend(first, edges, forward, met, order)
    depth = dict.fromkeys(edges, 0)
    for name in reversed(order):
        for to in forward[name]:
            depth[to] = max(depth[to], depth[name] + 1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in met:
        columns[depth[name]].append(name)
    return columns


def _descend(first: str, edges: Mapping[str, Sequence[str]], forward: dict[str, list[str]],
             met: dict[str, None], order: dict[str, None]) -> None:
    """Depth first, without the stack of calls; edges back to a node that is still open are loops."""
    open_ = {first}
    met[first] = None
    stack = [(first, iter(edges[first]))]
    while stack:
        name, ahead = stack[-1]
        for to in ahead:
            if to not in edges or to in open_:
                continue
            forward[name].append(to)
            if to not in met:
                met[to] = None
                open_.add(to)
                stack.append((to, iter(edges[to])))
                break
        else:
            stack.pop()
            open_.discard(name)
            order[name] = None


def _ordered(columns: list[list[str]], edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    before: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for to in targets:
            if to in before:
                before[to].append(name)
    for sweep in range(SWEEPS):
        rank = {name: float(place) for column in columns for place, name in enumerate(column)}
        sides: Mapping[str, Sequence[str]] = before if sweep % 2 == 0 else edges
        for column in columns if sweep % 2 == 0 else reversed(columns):
            middles = {name: _middle(name, sides, rank) for name in column}
            column.sort(key=middles.__getitem__)  # stable
            rank |= {name: float(place) for place, name in enumerate(column)}
    return columns


def _middle(name: str, sides: Mapping[str, Sequence[str]], rank: Mapping[str, float]) -> float:
    there = [rank[one] for one in sides[name] if one in rank]
    return sum(there) / len(there) if there else rank[name]
