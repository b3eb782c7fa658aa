"""The log: who said what when, in colour; nothing in it can harm a terminal, and no terminal can stop it."""

import io
import threading

from appliance.launch import console as module
from appliance.launch.console import Console


def written(console: Console, stream: io.StringIO) -> list[str]:
    console.close()
    return stream.getvalue().splitlines()


def test_a_line_has_time_name_and_text() -> None:
    stream = io.StringIO()
    console = Console(stream, colours=False, clock=lambda: 0.25)
    console.say("acdd", "INFO caller 你好")
    (line,) = written(console, stream)
    assert line.endswith(".250 acdd     INFO caller 你好")
    assert line[2] == line[5] == ":"


def test_each_name_keeps_a_colour_of_its_own() -> None:
    stream = io.StringIO()
    console = Console(stream, colours=True)
    for name in ("spand", "trunkd", "spand"):
        console.say(name, "x")
    first, second, third = [line.split("\x1b[")[1] for line in written(console, stream)]
    assert first == third
    assert first.partition("m")[0] != second.partition("m")[0]


def test_a_callers_name_cannot_command_the_terminal() -> None:
    stream = io.StringIO()
    console = Console(stream, colours=False)
    console.say("trunkd", "call from \x1b[2J\x07\x9b31m" + "x" * 5000)
    (line,) = written(console, stream)
    assert "call from  [2J  31mxxx" in line
    assert len(line) < 2100


def test_nor_can_what_a_daemon_said_before_its_end() -> None:
    stream = io.StringIO()
    console = Console(stream, colours=False)
    console.tell("acdd cannot work:\nflow.yaml:3: \x1b]0;owned\x07")
    assert written(console, stream) == ["acdd cannot work:", "flow.yaml:3:  ]0;owned "]


class Stuck(io.StringIO):
    """A terminal that takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str) -> int:
        self.go.wait(10)
        return super().write(text)


def test_a_stuck_terminal_stops_nobody() -> None:
    stream = Stuck()
    console = Console(stream, colours=False)
    for number in range(module.MOST_LINES + 100):
        console.say("spand", str(number))
    stream.go.set()
    lines = written(console, stream)
    left_out = sum(int(line.split()[1]) for line in lines if line.startswith("..."))
    assert left_out in (99, 100)
    assert sum(" spand " in line for line in lines) == module.MOST_LINES + 100 - left_out


class Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_stops_nobody() -> None:
    console = Console(Closed(), colours=False)
    for _ in range(3):
        console.say("spand", "x")
    console.close()
