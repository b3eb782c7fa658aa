"""A live page gets the new lines of a long fragment: put together they are the fragment."""

import json

from hypothesis import given
from hypothesis import strategies as st

from webui import delta

LINES = st.lists(st.sampled_from(["<tr>", "</tr>", "", "a", "b", "行", "c" * 60]), max_size=40).map("\n".join)


@given(old=LINES, new=LINES)
def test_what_is_said_makes_the_new_text(old: str, new: str) -> None:
    assert delta.whole(old, delta.parts(old.split("\n"), new.split("\n"))) == new


def test_of_a_table_only_the_new_row_is_sent() -> None:
    rows = [f'<tr data-key="{number}">{"x" * 90}</tr>' for number in range(100)]
    old, new = "\n".join(rows), "\n".join([*rows[1:50], "<tr>another</tr>", *rows[50:], "<tr>last</tr>"])
    said = delta.said(old, new)
    assert json.loads(said) == [[1, 49], "<tr>another</tr>", [50, 50], "<tr>last</tr>"]
    assert json.loads(delta.said(None, new)) == new
    assert json.loads(delta.said("short", "shorter")) == "shorter"
