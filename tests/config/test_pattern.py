"""Dial patterns: what may follow the digits so far, and that no number keeps the box searching."""

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.pattern import LONGEST, DialPattern


@pytest.mark.parametrize("pattern", [
    "(12)", "0([0-9]{3,})", "(1[013]?2)", "(11[029]|12)", "([^1]2*)", "0?(1{2})", "(?:00|0)([12]{1,2})",
    r"(\d.)3", "^(3|33)$", "(1*?)2+", "([13]{,2})", "(1(?:23)+)", r"\*(1)", "()",
])
def test_growth_is_what_trying_all_numbers_says(pattern: str) -> None:
    """Against every number of up to five digits: those longer ones that match are found by `re` itself."""
    alphabet = "0123*"
    words = ["".join(word) for length in range(6) for word in itertools.product(alphabet, repeat=length)]
    matching = [word for word in words if re.fullmatch(pattern, word)]
    dialled = DialPattern(pattern)
    for word in words:
        if len(word) <= 3:
            longer = any(other.startswith(word) and other != word for other in matching)
            assert dialled.may_grow(word) == longer, word


@pytest.mark.parametrize("pattern", [
    r"(\d)\1", "(?=1)(12)", "(?P<n>1)", "(?i)(1)", "(1", "1)", "*(1)", "({2}1)", "([9-0])", "(1{99})",
    "(1{3000000})"])
def test_what_dial_patterns_have_not_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read at|has 32 digits at most"):
        DialPattern(pattern)


@pytest.mark.parametrize("pattern", [
    "9((?:[0-9]+)+)#", "9((?:0|[0-9])*)#", "(" + "[0-9]?" * 20 + ")#", "(" + "[0-9]*" * 8 + ")#",
    "(" * 40 + ")*" * 40, "((?:(?:(?:1*)*)*)*)"])
def test_a_search_without_end_is_refused(pattern: str) -> None:
    began = time.monotonic()
    with pytest.raises(ValueError, match="no repeat inside of a repeat"):
        DialPattern(pattern)
    assert time.monotonic() - began < 5.0


bits = st.sampled_from(["0", "9", "[0-9]", ".", "?", "*", "+", "{2,3}", "{,9}", "|", "(", "(?:", ")", ")*"])


@given(st.lists(bits, max_size=16).map("".join))
def test_what_is_accepted_is_searched_at_once(pattern: str) -> None:
    try:
        re.compile(pattern)
        DialPattern(pattern)
    except (re.error, ValueError):
        return
    began = time.process_time()
    for number in ("0" * LONGEST, "9" * (LONGEST - 1) + "#"):
        re.fullmatch(pattern, number)
    assert time.process_time() - began < 1.0
