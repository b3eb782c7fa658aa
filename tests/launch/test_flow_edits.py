"""Any edits of a flow's text: what it says afterwards, and that all other lines are as they were."""

import difflib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.bus.messages.flows import FlowEdit
from appliance.centre.flow.editor.picture import picture
from appliance.config.load import values_of
from appliance.errors import ConfigError
from appliance.launch.flow_bench.editing import edited
from tests.centre.flows import HOTLINE

ODD = """\
# 电力公司热线 — who calls hears this first


start:   greeting    # the first one
language:  "zh"
nodes:
    # says hello
    greeting:
        kind: play
        prompt:  [ 'welcome',  "time:09:30" ]   # at nine
        # and then
        next: menu

    menu:     # asks
        kind: menu
        prompt: 'menu'
        digits:
            # one
            "1": sales   # to people
            2: { next: menu, language: en }
            '*': greeting
            #: none
        default:    sales
        timeout_s: 4.50

    when:
        kind: branch
        cases:
        - when: caller == '138'
          next: menu
        # others
        -   {when: "starts(caller, '139')", next: sales}
        default: end
    sales: {kind: queue, queue: sales, overflow_s: 60, next: end}   # waits
    end: {kind: hangup}
# the end
drawing: {menu: [10, 20], end: [30, 40]}
limit_s: 600
"""
TEXTS = {"odd": ODD, "hotline": HOTLINE}
VALUES = ["7", "'x'", '"a: b # c"', "[one, two]", "{zh: 您好, en: Hi}", "true", "null", "end", "您好",
          "kind: play\nprompt: x\nnext: end\n"]
NEW = ["extra", "n-1", "x"]


def names(text: str) -> list[str]:
    return list(values_of(text)["nodes"])


def anything(draw: Callable[[Any], Any], text: str) -> FlowEdit:
    node = draw(st.sampled_from(names(text)))
    keys = list(values_of(text)["nodes"][node]) or ["kind"]
    match draw(st.sampled_from(["set", "set", "gone", "way", "add", "rename", "remove", "move", "place"])):
        case "set":
            key = draw(st.sampled_from([*keys, "fresh", "retries"]))
            return FlowEdit(do="set", keys=["nodes", node, key], value=draw(st.sampled_from(VALUES)))
        case "gone":
            return FlowEdit(do="set", keys=["nodes", node, draw(st.sampled_from(keys))])
        case "way":
            digit = draw(st.sampled_from(["1", "2", "*", "#", "0", "9"]))
            return FlowEdit(do="set", keys=["nodes", node, "digits", digit], value="end")
        case "add":
            return FlowEdit(do="add", name=draw(st.sampled_from(NEW)), value=draw(st.sampled_from([
                "{kind: play, prompt: x, next: end}", "kind: say\ntext:\n  zh: 您好\nnext: end"])))
        case "rename":
            return FlowEdit(do="rename", name=node, to=draw(st.sampled_from([*NEW, "renamed", node])))
        case "remove":
            return FlowEdit(do="remove", name=node)
        case "move":
            return FlowEdit(do="move", name=node, x=draw(st.integers(0, 900)), y=draw(st.integers(-5, 900)))
    return FlowEdit(do="place")


def expected(whole: dict[str, Any], edit: FlowEdit) -> dict[str, Any]:
    """The values afterwards, said once more and more simply."""
    nodes = whole["nodes"]
    if edit.do == "set":
        inner: Any = whole
        for key in edit.keys[:-1]:
            if inner.get(key) in (None, ""):
                inner[key] = {}
            inner = inner[key]
        inner.pop(edit.keys[-1]) if edit.value is None else inner.update(
            {edit.keys[-1]: values_of(edit.value)})
    elif edit.do == "add":
        nodes[edit.name] = values_of(edit.value or "")
    elif edit.do in ("move", "place"):
        drawing = {**(whole.get("drawing") or {}), edit.name: [edit.x, edit.y]}
        whole.pop("drawing", None) if edit.do == "place" else whole.update(drawing=drawing)
    else:
        gone = edit.do == "remove"
        to = None if gone else edit.to

        def led(target: Any) -> Any:
            return to if target == edit.name else target

        for part in ("nodes", "drawing"):
            if isinstance(whole.get(part), dict):
                whole[part] = {led(name): one for name, one in whole[part].items() if led(name) is not None}
        whole["start"] = whole["start"] if gone else led(whole["start"])
        for node in whole["nodes"].values():
            for key in ("next", "default", "missing", "error", "failed", "refused", "open", "closed"):
                if isinstance(node, dict) and key in node and key in WAYS_OF.get(str(node.get("kind")), ()):
                    node[key] = led(node[key])
                    if node[key] is None and gone:
                        del node[key]
            cases = node.get("cases") if isinstance(node, dict) else None
            for case in cases if isinstance(cases, list) else ():
                if isinstance(case, dict) and case.get("next") == edit.name:
                    case.update(next=to)
                    if gone:
                        del case["next"]
            digits: Any = node.get("digits") if isinstance(node, dict) else None
            for digit, option in list(digits.items()) if isinstance(digits, dict) else ():
                if isinstance(option, dict) and option.get("next") == edit.name:
                    option.update(next=to)
                    if gone:
                        del digits[digit]
                elif option == edit.name:
                    digits[digit] = to
                    if gone:
                        del digits[digit]
    return whole


WAYS_OF = {
    "play": ("next", "error"), "say": ("next", "error"), "menu": ("default",), "collect": ("next", "default"),
    "set": ("next",), "branch": ("default",), "lookup": ("next", "missing", "error"),
    "authenticate": ("next", "failed", "error"), "language": ("next",), "queue": ("next",),
    "transfer": ("next",), "record": ("next", "failed"), "hangup": ()}


def lines_of(text: str, name: str) -> set[int]:
    """The lines that a node is written on."""
    found = next(node for node in picture(text, [], {}).nodes if node.name == name)
    begins = sorted([node.line for node in picture(text, [], {}).nodes] + [len(text.splitlines()) + 1])
    return set(range(found.line - 1, begins[begins.index(found.line) + 1] - 1))


def touched(before: str, after: str) -> list[str]:
    """Lines of before that are others now."""
    lines = before.splitlines()
    matcher = difflib.SequenceMatcher(None, lines, after.splitlines(), autojunk=False)
    return [line for tag, begin, end, _, _ in matcher.get_opcodes() if tag != "equal"
            for line in lines[begin:end]]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_any_edits_say_what_they_should_and_leave_other_lines_alone(
        which: str, data: st.DataObject) -> None:
    text = TEXTS[which]
    for _ in range(data.draw(st.integers(1, 5))):
        edit = anything(data.draw, text)
        try:
            after = edited(text, [edit])
        except ConfigError as error:
            assert "written in a way" not in str(error), (edit, text)
            continue
        assert values_of(after) == expected(values_of(text), edit), (edit, text, after)
        for line in touched(text, after):
            if edit.do == "add":
                assert line.strip() in ("nodes:", "nodes: {}"), (edit, text, after)
            elif edit.do in ("move", "place"):
                assert "[" in line or line.startswith("drawing"), (edit, text, after)
            elif edit.do == "rename":
                assert edit.name in line, (edit, text, after)
        if edit.do == "set":
            inside = lines_of(text, str(edit.keys[1]))
            outside = [line for number, line in enumerate(text.splitlines()) if number not in inside]
            left = iter(after.splitlines())
            assert all(line in left for line in outside), (edit, text, after)
        text = after


@pytest.mark.parametrize(("edit", "why"), [
    (FlowEdit(do="set"), "which ones"),
    (FlowEdit(do="set", keys=["nodes", "menu", "prompt", "x"], value="1"), "is not there"),
    (FlowEdit(do="set", keys=["nodes", "when", "cases", 7, "next"], value="end"), "is not there"),
    (FlowEdit(do="set", keys=["nodes", "menu", "gone"]), "is not there"),
    (FlowEdit(do="set", keys=["start"], value="[1"), "no YAML"),
    (FlowEdit(do="set", keys=["start"], value="*a"), "aliases"),
    (FlowEdit(do="set", keys=["start"], value="[" * 50), "nested more than"),
    (FlowEdit(do="set", keys=["start"], value="x" * 30_000), "characters"),
    (FlowEdit(do="add", name="Menu", value="{kind: hangup}"), "a node's name"),
    (FlowEdit(do="add", name="menu", value="{kind: hangup}"), "already"),
    (FlowEdit(do="add", name="more", value="3"), "a node has keys"),
    (FlowEdit(do="rename", name="menu", to="end"), "already"),
    (FlowEdit(do="rename", name="nobody", to="x"), "no node 'nobody'"),
    (FlowEdit(do="rename", name="menu", to="a b"), "a node's name"),
    (FlowEdit(do="remove", name="nobody"), "no node 'nobody'"),
    (FlowEdit(do="move", name="menu", x=10**7), "pixels"),
])
def test_an_edit_that_makes_no_sense_is_refused_by_what_is_wrong(edit: FlowEdit, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        edited(ODD, [FlowEdit(do="move", name="menu", x=1, y=1), edit])


def test_a_node_that_goes_takes_its_place_and_the_ways_to_it_along() -> None:
    after = edited(ODD, [FlowEdit(do="remove", name="end")])
    whole = values_of(after)
    assert "end" not in whole["nodes"] and whole["drawing"] == {"menu": [10, 20]}
    assert "next" not in whole["nodes"]["sales"] and "default" not in whole["nodes"]["when"]
    for comment in ("# says hello", "# at nine", "# to people", "# others", "# waits", "# the end"):
        assert comment in after


def test_too_many_edits_and_too_long_a_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="more than 100 edits"):
        edited(ODD, [FlowEdit(do="place")] * 101)
    long = ODD + "".join(f"# {'x' * 90}\n" for _ in range(2836))
    with pytest.raises(ConfigError, match="more than 262144 octets"):
        edited(long, [FlowEdit(do="add", name="more", value=f"{{kind: say, text: {'p' * 2000}, next: end}}")])
