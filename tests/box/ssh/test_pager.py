"""Output by pages: nothing is lost, nothing is held when there is room, keys do what they say."""

import pytest

from appliance.box.ssh import keys
from appliance.box.ssh.pager import Pager
from tests.box.ssh.screens import ScreenOf

LINES = [f"line {number}" for number in range(1, 31)]
TEXT = "".join(f"{line}\n" for line in LINES)


def paged(height: int = 11, width: int = 40, language: str = "en") -> tuple[Pager, ScreenOf]:
    return Pager(width, height, language), ScreenOf(width)


def test_a_page_then_a_row_then_the_rest() -> None:
    pager, screen = paged()
    screen.write(pager.write(TEXT))
    assert screen.text[:10] == LINES[:10] and "more" in screen.text[10] and pager.full
    screen.write(pager.key(keys.ENTER))
    assert screen.text[:11] == LINES[:11] and pager.full
    screen.write(pager.key(" "))
    assert screen.text[:21] == LINES[:21] and pager.full
    screen.write(pager.key("x"))
    screen.write(pager.key("a") + pager.end())
    assert screen.text == LINES and not pager.full


def test_what_fits_is_never_held() -> None:
    pager, screen = paged()
    screen.write(pager.write("one\ntwo\nhalf") + pager.write(" a line\n") + pager.end())
    assert screen.text == ["one", "two", "half a line"] and not pager.full


def test_all_then_more_comes() -> None:
    pager, screen = paged()
    screen.write(pager.write(TEXT + "the tail"))
    screen.write(pager.key("a") + pager.write(" of it\nmore\n") + pager.end())
    assert screen.text == [*LINES, "the tail of it", "more"]


def test_q_ends_it() -> None:
    for key in ("q", keys.INTERRUPT, keys.EOF):
        pager, screen = paged()
        screen.write(pager.write(TEXT) + pager.key(key))
        assert screen.text == LINES[:10] and pager.quit and not pager.full


def test_search_skips_to_what_is_sought_also_in_what_comes_later() -> None:
    pager, screen = paged()
    screen.write(pager.write(TEXT) + pager.key("/"))
    for key in ("L", "I", "N", "X", keys.BACKSPACE, "E", *" 15", keys.ENTER):
        screen.write(pager.key(key))
    assert screen.text[10] == "line 15" and screen.text[19] == "line 24" and pager.full
    pager, screen = paged()
    screen.write(pager.write(TEXT) + "".join(pager.key(key) for key in ("/", *"later", keys.ENTER)))
    assert not pager.full
    screen.write(pager.write("now\nlater on\n") + pager.end())
    assert screen.text[10:] == ["later on"]
    pager, screen = paged(language="zh")
    screen.write(pager.write(TEXT) + "".join(pager.key(key) for key in ("/", *"none", keys.ENTER)))
    screen.write(pager.end())
    assert screen.text[-1] == "未找到:none"
    pager, screen = paged()
    screen.write(pager.write(TEXT) + pager.key("/") + pager.key(keys.INTERRUPT))
    assert pager.full and "more" in screen.text[10] and not pager.quit


@pytest.mark.parametrize("language", ["en", "zh"])
def test_long_and_wide_lines_take_the_rows_that_they_take(language: str) -> None:
    pager, screen = paged(height=5, width=20, language=language)
    screen.write(pager.write("呼叫中心" * 8 + "\n" + "x" * 45 + "\n"))
    assert len([row for row in screen.text if "--" not in row]) == 4 and pager.full


def test_without_a_height_all_goes_through() -> None:
    pager, screen = paged(height=0)
    screen.write(pager.write(TEXT))
    assert screen.text == LINES
