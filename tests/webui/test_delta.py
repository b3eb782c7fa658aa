"""A live page gets the new lines of a long fragment: put together they are the fragment."""

import json

from hypothesis import given
from hypothesis import strategies as st

from webui import delta

LINES = st.lists(st.sampled_from(["<tr>", "</tr>", "", "a", "b", "行", "c" * 60]), max_size=40).map("\n".join)

PIECES = ["<tr>", "<tr>\n<td>1</td>\n</tr>", "<tr>\n<td>2</td>\n</tr>", "</tr>", "", "行\n"]


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


@given(
    old=st.lists(st.sampled_from(PIECES), min_size=1, max_size=12),
    new=st.lists(st.sampled_from(PIECES), min_size=1, max_size=12))
def test_pieces_give_the_same_text_as_lines(old: list[str], new: list[str]) -> None:
    before, after = delta.Text.of(old), delta.Text.of(new)
    said = json.loads(json.dumps(delta.new_lines(before, after)))
    assert delta.whole(str(before), [one if isinstance(one, str) else tuple(one) for one in said]) == after
    plain = delta.said("\n".join(old) + "x" * 2000, "\n".join(new) + "x" * 2000)
    assert delta.whole("\n".join(old) + "x" * 2000, json.loads(plain)) == "\n".join(new) + "x" * 2000


def test_of_a_piece_that_is_another_the_new_lines_are_said() -> None:
    rows = [f"<tr>\n<td>{number}</td>\n</tr>" for number in range(100)]
    before = delta.Text.of(("<table>", *rows, "</table>"))
    changed = [*rows[:40], rows[40].replace("40", "forty"), *rows[42:], "<tr>\n<td>new</td>\n</tr>"]
    said = delta.new_lines(before, delta.Text.of(("<table>", *changed, "</table>")))
    assert said == [(0, 121), (121, 1), "<td>forty</td>", (123, 1), (127, 174),
                    "<tr>\n<td>new</td>\n</tr>", (301, 1)]
    assert delta.new_lines(before, before) == [(0, 302)]
