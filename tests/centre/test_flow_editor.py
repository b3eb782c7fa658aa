"""What an editor shows of flows: each kind with its fields, files as written, where nodes are drawn."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.centre.flow import Flow, digest
from appliance.centre.flow.editor import layout
from appliance.centre.flow.editor.fields import kinds, shown_kinds
from appliance.centre.flow.editor.picture import picture
from appliance.centre.flow.lint import rings_of
from appliance.config.load import values_of
from tests.centre.flows import HOTLINE

NAMES = {"queue": ["sales"], "source": ["crm"], "calendar": ["office"], "box": ["all"], "survey": ["how"],
         "agent": ["ann"], "trunk": ["telco"], "file": ["below.yaml"]}


def ways_filled(value: Any, to: str) -> Any:
    if isinstance(value, dict):
        return {key: ways_filled(one, to) for key, one in value.items()}
    if isinstance(value, list):
        return [ways_filled(one, to) for one in value]
    return to if value == "" else value


@pytest.mark.parametrize("kind", list(kinds()))
def test_a_new_node_lacks_only_where_it_leads(kind: str) -> None:
    shown = next(one for one in shown_kinds(NAMES) if one.kind == kind)
    assert shown.about and {field.name for field in shown.fields}.isdisjoint(
        way.keys[0] for way in shown.ways)
    node = ways_filled(values_of(shown.template), "end")
    assert node["kind"] == kind
    flow = Flow.model_validate({"start": "new", "nodes": {"new": node, "end": {"kind": "hangup"}}})
    written = {field.name for field in shown.fields} | {str(way.keys[0]) for way in shown.ways}
    assert set(type(flow.nodes["new"]).model_fields) - {"kind", "start"} == written


def test_fields_are_as_the_schema_has_them() -> None:
    found = {(one.kind, field.name): field for one in shown_kinds(NAMES) for field in one.fields}
    collect = found["collect", "least"]
    assert (collect.shape, collect.least, collect.most, collect.default) == ("number", 1.0, 32.0, "1")
    assert found["play", "prompt"].shape == "prompts" and found["play", "prompt"].required
    assert found["agent", "do"].choices == ["log-in", "log-out", "ready", "not-ready"]
    assert found["queue", "queue"].choices == ["sales"] and found["queue", "skills"].of == "skill"
    assert (found["say", "text"].shape, found["set", "values"].shape) == ("texts", "map")
    assert (found["branch", "cases"].shape, found["record", "to"].required) == ("yaml", False)


def test_a_picture_has_every_node_with_its_line_ways_and_what_stands_above_it() -> None:
    text = HOTLINE.replace("  bye:", "  # at last\n  # good bye\n  bye:")
    found = {node.name: node for node in picture(text, [], {"zh/menu": "请选择"}).nodes}
    lines = text.splitlines()
    assert all(lines[node.line - 1].strip().startswith(f"{name}:") for name, node in found.items())
    assert found["bye"].comment == "at last\ngood bye"
    menu = found["menu"]
    assert menu.about == "请选择" and not menu.placed
    assert [(way.keys, way.to) for way in menu.ways][2:4] == [
        (["digits", "3", "next"], "menu"), (["digits", "4"], "payment")]
    assert {field.name: field.value for field in found["proof"].fields}["pin"].startswith("{prompt: pin")


def test_where_a_node_is_drawn_makes_no_other_version_for_callers() -> None:
    whole = values_of(HOTLINE)
    placed = Flow.model_validate(whole | {"drawing": {"menu": [10, 20]}})
    assert digest(placed) == digest(Flow.model_validate(whole))
    drawn = picture(HOTLINE + "drawing: {menu: [10, 20]}\n", [], {})
    node = next(one for one in drawn.nodes if one.name == "menu")
    assert (node.x, node.y, node.placed) == (10, 20, True)


GRAPHS = st.dictionaries(st.sampled_from("abcdefghij"), st.lists(st.sampled_from("abcdefghijz"), max_size=4))


@given(GRAPHS, st.dictionaries(st.sampled_from("abcdefghij"), st.tuples(
    st.integers(0, 200).map(lambda one: one * 10), st.integers(0, 60).map(lambda one: one * 10)), max_size=3))
def test_nodes_that_the_box_places_are_on_the_grid_and_beside_all_others(
        edges: dict[str, list[str]], placed: dict[str, tuple[int, int]]) -> None:
    placed = {name: place for name, place in placed.items() if name in edges}
    heights = {name: layout.height(len(targets)) for name, targets in edges.items()}
    found = layout.places("a", edges, heights, placed)
    assert found == layout.places("a", edges, heights, placed) and found.keys() == edges.keys()
    for one, other in itertools.combinations(found, 2):
        if one in placed and other in placed:
            continue
        (x, y), (left, upper) = found[one], found[other]
        assert (abs(x - left) >= layout.WIDTH or y >= upper + heights[other] or upper >= y + heights[one])
    assert all(x % layout.GRID == 0 and y % layout.GRID == 0 for x, y in found.values())


def test_a_line_of_nodes_is_drawn_from_left_to_right() -> None:
    edges = {"c": ["d"], "a": ["b"], "b": ["c", "a"], "d": []}
    found = layout.places("a", edges, dict.fromkeys(edges, 80), {})
    assert [found[name] for name in "abcd"] == [(40 + 300 * column, 40) for column in range(4)]


@given(GRAPHS)
def test_nodes_of_one_ring_lead_to_one_another(edges: dict[str, list[str]]) -> None:
    ways = {name: [to for to in targets if to in edges] for name, targets in edges.items()}

    def after(first: str) -> set[str]:
        found, ahead = {first}, [first]
        while ahead:
            more = set(ways[ahead.pop()]) - found
            found |= more
            ahead += more
        return found

    reach = {name: after(name) for name in ways}
    assert rings_of(ways) == {name: {one for one in reach[name] if name in reach[one]} for name in ways}
