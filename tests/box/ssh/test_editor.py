"""A line as it is typed: what a terminal shows of it is what there is, whatever is typed, however wide."""

import random

import pytest

from appliance.box.commands.screen import width
from appliance.box.ssh import keys
from appliance.box.ssh.editor import MOST_HISTORY, MOST_LINE, Editor
from appliance.box.ssh.keys import Keys
from appliance.box.ssh.widths import places
from tests.box.ssh.screens import ScreenOf

PROMPT = "box> "


def typed(editor: Editor, *given: str) -> None:
    for one in given:
        for key in [one] if one.startswith("<") and len(one) > 1 else list(one):
            editor.key(key)


@pytest.mark.parametrize(("given", "line", "at"), [
    (("show",), "show", 4),
    (("show", keys.LEFT, keys.LEFT, "x"), "shxow", 3),
    (("show", keys.HOME, "no "), "no show", 3),
    (("show", keys.BACKSPACE, keys.BACKSPACE), "sh", 2),
    (("show", keys.HOME, keys.DELETE), "how", 0),
    (("show", keys.HOME, keys.EOF), "how", 0),
    (("show calls", keys.KILL_WORD), "show ", 5),
    (("show calls", keys.KILL_START, keys.YANK, keys.YANK), "show callsshow calls", 20),
    (("show calls", keys.WORD_LEFT, keys.KILL_END), "show ", 5),
    (("show calls", keys.HOME, keys.WORD_RIGHT, "!"), "show! calls", 5),
    (("show calls", keys.WORD_LEFT, keys.WORD_LEFT, keys.END, "!"), "show calls!", 11),
    (("中文", keys.LEFT, "x"), "中x文", 2),
    ((keys.LEFT, keys.BACKSPACE, keys.DELETE, keys.UP, keys.DOWN, "a"), "a", 1),
])
def test_keys_make_a_line(given: tuple[str, ...], line: str, at: int) -> None:
    editor = Editor()
    editor.begin(PROMPT)
    typed(editor, *given)
    assert (editor.line, editor.at) == (line, at)


def test_history_is_walked_and_searched() -> None:
    editor = Editor()
    for line in ("show calls", "show spans", "show spans", "  ", "configure"):
        editor.begin(PROMPT)
        typed(editor, line, keys.ENTER)
    assert editor.history == ["show calls", "show spans", "configure"]
    editor.begin(PROMPT)
    typed(editor, "new", keys.UP, keys.UP)
    assert editor.line == "show spans"
    typed(editor, keys.DOWN, keys.DOWN)
    assert editor.line == "new"
    editor.begin(PROMPT)
    typed(editor, keys.SEARCH, "show")
    assert editor.line == "show spans"
    typed(editor, keys.SEARCH)
    assert editor.line == "show calls"
    typed(editor, keys.ENTER)
    assert editor.entered == "show calls"
    editor.begin(PROMPT)
    typed(editor, "begun", keys.SEARCH, "zzz", keys.CANCEL)
    assert not editor.searching


def test_a_secret_is_neither_shown_nor_kept() -> None:
    editor, out = Editor(), ""
    out += editor.begin("Password: ", secret=True)
    for key in (*"geheim", keys.LEFT, keys.UP, keys.SEARCH, keys.ENTER):
        out += editor.key(key)
    assert "geheim" not in out and "g" not in out.replace("Password: ", "")
    assert editor.entered == "geheim" and editor.history == []


def test_limits_hold() -> None:
    editor = Editor()
    editor.begin(PROMPT)
    for _ in range(MOST_LINE + 10):
        editor.key("x")
    typed(editor, keys.KILL_START, keys.YANK, keys.YANK)
    assert len(editor.line) == MOST_LINE
    for number in range(MOST_HISTORY + 10):
        editor.begin(PROMPT)
        typed(editor, f"line {number}", keys.ENTER)
    assert len(editor.history) == MOST_HISTORY


ANY = [*"ab 中文é?", keys.LEFT, keys.RIGHT, keys.HOME, keys.END, keys.BACKSPACE, keys.DELETE, keys.WORD_LEFT,
       keys.WORD_RIGHT, keys.KILL_WORD, keys.KILL_END, keys.KILL_START, keys.YANK, keys.UP, keys.DOWN]


@pytest.mark.parametrize("seed", range(40))
def test_the_screen_shows_the_line_and_the_cursor(seed: int) -> None:
    """Whatever is typed: rows and cursor as a terminal has them, in narrow ones too."""
    chance = random.Random(seed)
    screen = ScreenOf(chance.choice((7, 8, 20, 21)))
    editor = Editor(width=screen.columns, history=["show spans e1-1 all of it", "中文中文中文中文"])
    screen.write(editor.begin(PROMPT))
    for _ in range(150):
        screen.write(editor.key(chance.choice(ANY)))
        found = places(PROMPT + editor.line, screen.columns)
        shown = "".join("".join(row) for row in screen.rows)
        assert shown.replace(" ", "") == (PROMPT + editor.line).replace(" ", "")
        cursor = (screen.row + 1, 0) if screen._late else (screen.row, screen.column)
        assert cursor == found[len(PROMPT) + editor.at], (editor.line, editor.at)
    screen.write(editor.above("what fits\r\n"))
    assert any("what fits"[:screen.columns] in row for row in screen.text)
    assert "".join("".join(row) for row in screen.rows).replace(" ", "").endswith(
        (PROMPT + editor.line).replace(" ", ""))
    screen.write(editor.key(keys.ENTER))
    assert screen.column == 0 and all(cell == " " for cell in screen.rows[screen.row])


@pytest.mark.parametrize(("text", "wanted"), [
    ("a中\r", ["a", "中", keys.ENTER]), ("\r\n", [keys.ENTER]), ("\n\n", [keys.ENTER, keys.ENTER]),
    ("\x1b[A\x1bOB\x1b[1;5C\x1b[3~", [keys.UP, keys.DOWN, keys.WORD_RIGHT, keys.DELETE]),
    ("\x1bb\x1bf", [keys.WORD_LEFT, keys.WORD_RIGHT]), ("\x1b\x1b[A", [keys.UP]),
    ("\x1b[99;99;99zx", ["x"]), ("\x1b[" + "1" * 40 + "x", [*"1" * 25, "x"]), ("\x00\x1f\x9b", []),
    ("\x03\x04\t?", [keys.INTERRUPT, keys.EOF, keys.TAB, "?"]),
])
def test_what_a_terminal_sends_is_keys(text: str, wanted: list[str]) -> None:
    assert Keys().feed(text) == wanted
    one_by_one = Keys()
    assert [key for one in text for key in one_by_one.feed(one)] == wanted


@pytest.mark.parametrize("columns", [2, 3, 10, 79])
def test_rows_hold_what_fits(columns: int) -> None:
    text = "ab中文c" * 9
    rows: dict[int, int] = {}
    for one, (row, column) in zip(text, places(text, columns), strict=False):
        assert column == rows.get(row, 0)
        rows[row] = column + width(one)
    assert all(used <= columns for used in rows.values())
