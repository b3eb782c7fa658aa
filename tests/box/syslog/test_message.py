"""Messages to the letter of RFC 5424, and those that wait for their server."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.box.syslog.message import MOST_OCTETS, Box, TimeQuality, counted, message
from appliance.box.syslog.waiting import Waiting
from appliance.bus.messages import LogLevel, LogLine

BOX = Box("box-7", "0.9.1")
# RFC 5424 6, read by somebody else's eyes: header, structured data, text.
SYNTAX = re.compile(
    rb'<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) - - '
    rb'((?:\[[!-<>-\\^-~]{1,32}(?: [!-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+) \xef\xbb\xbf(.*)',
    re.DOTALL)


def line(text: str, level: LogLevel = "info", program: str = "spand") -> LogLine:
    return LogLine(at=1_795_000_500.25, program=program, level=level, text=text, place="")


def test_a_line_as_a_message() -> None:
    assert message(line("span 线路 down", "warning"), "local3", BOX, TimeQuality(True, 0.0125), 7) == (
        '<156>1 2026-11-18T11:15:00.250000Z box-7 spand - - [origin software="branchline" swVersion="0.9.1"]'
        '[meta sequenceId="7"][timeQuality tzKnown="1" isSynced="1" syncAccuracy="12500"] '
        '\ufeffspan 线路 down').encode()


@pytest.mark.parametrize(("level", "facility", "number"), [
    ("debug", "user", 15), ("info", "daemon", 30), ("warning", "local0", 132), ("error", "local7", 187)])
def test_facility_and_severity(level: LogLevel, facility: str, number: int) -> None:
    assert message(line("x", level), facility, BOX, None, 1).startswith(f"<{number}>1 ".encode())


def test_who_is_not_synchronised_says_so_without_an_accuracy() -> None:
    assert b'[timeQuality tzKnown="1" isSynced="0"] ' in message(
        line("x"), "user", BOX, TimeQuality(False, 3.0), 1)


@given(some.text(max_size=3000), some.text(max_size=300), some.text(max_size=60),
       some.integers(200, MOST_OCTETS))
def test_any_line_is_a_message_of_bounded_length(text: str, host: str, program: str, most: int) -> None:
    told = message(line(text, program=program), "user", Box(host, program), None, 1, most)
    found = SYNTAX.fullmatch(told)
    assert found is not None and len(told) <= max(most, 600)
    assert text.encode("utf-8", "replace").decode().startswith(found[6].decode())
    octets = counted(told)
    assert octets == str(len(told)).encode() + b" " + told


def waiting(most: int = 3, level: LogLevel = "info") -> Waiting:
    return Waiting(most, level, "user", BOX, MOST_OCTETS)


def all_of(queue: Waiting) -> list[tuple[int, str]]:
    found = []
    while (first := queue.first(None)) is not None:
        text = SYNTAX.fullmatch(first[1])
        assert text is not None
        found.append((first[0], text[6].decode()))
        queue.done(first[0])
    return found


def test_those_of_a_level_wait_in_order() -> None:
    queue = waiting(level="warning")
    for level, text in (("info", "a"), ("warning", "b"), ("debug", "c"), ("error", "d")):
        queue.add(line(text, level))              # type: ignore[arg-type]
    assert all_of(queue) == [(1, "b"), (2, "d")]


def test_too_many_lose_the_oldest_and_it_is_told() -> None:
    queue = waiting()
    for number in range(1, 8):
        queue.add(line(str(number)))
    assert len(queue) == 3 and queue.lost == 4
    told = all_of(queue)
    assert told[0][0] == 4 and "4 lines before this one are lost" in told[0][1], "the last one's"
    assert told[1:] == [(5, "5"), (6, "6"), (7, "7")] and queue.lost == 0
    assert all_of(queue) == []


def test_more_that_are_lost_while_it_is_told_are_told_afterwards() -> None:
    queue = waiting()
    for number in range(1, 6):
        queue.add(line(str(number)))
    first = queue.first(None)
    assert first is not None and first[0] == 2
    queue.add(line("6"))
    queue.done(first[0])
    told = all_of(queue)
    assert told[0][0] == 3 and "1 lines before" in told[0][1] and told[1:] == [(4, "4"), (5, "5"), (6, "6")]


def test_one_that_went_while_it_was_written_takes_no_other_along() -> None:
    queue = waiting(most=1)
    queue.add(line("a"))
    first = queue.first(None)
    assert first is not None
    queue.add(line("b"))
    queue.done(first[0])
    assert all_of(queue) == [(2, "b")]


@pytest.mark.parametrize("at", [-1.0, 999_999_999_999.0])
def test_a_time_that_is_none_stops_no_line(at: float) -> None:
    told = message(LogLine(at=at, program="spand", level="info", text="x", place=""), "user", BOX, None, 1)
    assert SYNTAX.fullmatch(told)
