"""e1ctl as its user runs it: a program beside a far end; what it prints and leaves behind, how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from e1_driver import BEARERS, IDLE, Alarm, Counters
from e1_driver.backends.virtual import VirtualSpan
from e1_driver.ctl.table import printed
from e1_driver.ctl.verdict import ANSWERS
from e1_driver.watch.pcap import FILE_HEADER
from tests.conftest import ROOT
from tests.e1_driver.circuits import pair_urls
from tests.e1_driver.e1d_server import E1dServer
from tests.e1_driver.far_end import FarEnd
from tests.e1_driver.line_docs import can_tell, told
from tests.e1_driver.test_card import Cards

E1CTL = [sys.executable, "-m", "e1_driver.ctl"]
WITHIN_S = 60.0
AT_ONCE = 4                                       # programs, so that a small machine keeps up

T = TypeVar("T")


@contextmanager
def started(*arguments: object, columns: int = 80) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "COLUMNS": str(columns), "TZ": "UTC", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([*E1CTL, *map(str, arguments)], cwd=ROOT, env=environment, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def e1ctl(*arguments: object, columns: int = 80, typed: str | None = None) -> tuple[int, str, str]:
    """Exit code, what it printed, what it said on stderr."""
    with started(*arguments, columns=columns) as process:
        out, err = process.communicate(typed, timeout=WITHIN_S)
        return process.returncode, out, err


def stop(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The same, after ^C."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WITHIN_S)
    return process.returncode, out, err


def together(*commands: Sequence[object], typed: Sequence[str | None] = ()) -> list[tuple[int, str, str]]:
    """e1ctl() of each, all at once; `typed` to each."""
    with ExitStack() as stack:
        processes = [stack.enter_context(started(*command)) for command in commands]
        for process, text in zip(processes, typed, strict=False):
            assert process.stdin
            process.stdin.write(text or "")
        said = [process.communicate(timeout=WITHIN_S) for process in processes]
        return [(process.returncode, *each) for process, each in zip(processes, said, strict=True)]


def at_once(everything: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(everything), AT_ONCE):
        yield everything[first:first + AT_ONCE]


def facts(*arguments: object, code: int = 0) -> Any:
    """The one object of --json."""
    found, out, err = e1ctl(*arguments, "--json")
    assert found == code, err
    return json.loads(out)


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Far(FarEnd):
    """Of a framed virtual line, to break as one likes; `near` is the other end's URL."""

    span: VirtualSpan

    def __init__(self, folder: Path) -> None:
        super().__init__(f"virtual:{folder}/line/a?framing=g704")
        self.near = f"virtual:{folder}/line/b?framing=g704"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    with Far(tmp_path) as far:
        yield far


# --- on any URL -----------------------------------------------------------------------------------

@contextmanager
def e1d(folder: Path) -> Iterator[tuple[str, str]]:
    with E1dServer(folder / "e1d"):
        yield f"e1d:{folder}/e1d?intf=0", f"e1d:{folder}/e1d?intf=1"


@contextmanager
def card(folder: Path) -> Iterator[tuple[str, str]]:
    with Cards(folder / "card") as cards:
        yield f"card:{cards.paths[0]}?span=0", f"card:{cards.paths[1]}?span=0"


@contextmanager
def plain(near: str, far: str) -> Iterator[tuple[str, str]]:
    yield near, far


SLACK = "&jitter_ms=300"                         # a busy machine loses no packet
TDMOE = "tdmoe:unix:{}/line/02:00:00:00:00:{}/0?buffer_ms=300&own=02:00:00:00:00:{}"
LINES: dict[str, Callable[[Path], AbstractContextManager[tuple[str, str]]]] = {       # near end, far end
    "virtual": lambda folder: plain(f"virtual:{folder}/line/b", f"virtual:{folder}/line/a"),
    "virtual, framed": lambda folder: plain(f"virtual:{folder}/line/b?framing=g704",
                                            f"virtual:{folder}/line/a?framing=g704"),
    "e1d": e1d,
    "satop": lambda folder: plain(*reversed(pair_urls("satop", SLACK))),
    "cesop": lambda folder: plain(*reversed(pair_urls("cesop", SLACK))),
    "tdmoe": lambda folder: plain(TDMOE.format(folder, "0a", "0b"),
                                  TDMOE.format(folder, "0b", "0a") + "&listen=yes"),
    "card": card,
}
@dataclass(frozen=True, slots=True)
class Carried:
    """What `e1ctl status --json` and then `e1ctl bert --json` said, and what the far end lost in the test."""

    status: Any
    bert: Any
    far_end_lost: int


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Carried]:
    found = {}
    for some in at_once(list(LINES)):
        with ExitStack() as stack:
            near, far = [], []
            for name in some:
                near_url, far_url = stack.enter_context(LINES[name](tmp_path_factory.mktemp("line")))
                near.append(near_url)
                far.append(stack.enter_context(FarEnd(far_url)))
            seen = together(*(["status", url, "--for", 2, "--json"] for url in near))
            tested = together(*(["bert", url, "--for", 4, "--timeslots", "1,15,31", "--inject", 3, "--json"]
                                for url in near))
        for name, end, (_, status, _), (_, bert, _) in zip(some, far, seen, tested, strict=True):
            found[name] = Carried(json.loads(status), json.loads(bert), end.lost)
    return found


@pytest.mark.parametrize("line", LINES)
def test_every_interface_has_a_status(carried: dict[str, Carried], line: str) -> None:
    found = carried[line].status
    assert found["up"] and found["counters"]["blocks_in"] > 50
    assert set(found["alarms"]) == set(Alarm) and not any(found["alarms"].values())
    assert set(found["counters"]) == set(Counters.__dataclass_fields__)
    alarms, counters = ([name for name, value in found[key].items() if value is not None]
                        for key in ("alarms", "counters"))
    assert told(alarms, counters, found["loops"]) == can_tell(line)        # docs/line.md
    assert found["sa_bits"] == (31 if line in ("virtual, framed", "satop", "card") else None)
    assert (found["level_db"], found["liu_faults"]) == ((-3, []) if line == "card" else (None, None))
    if found["counters"]["blocks_in"] > 150:      # a second of the line up
        assert found["timeslot_16"] == (None if line == "e1d" else "D-channel (HDLC)")


@pytest.mark.parametrize("line", LINES)
def test_every_interface_carries_a_test_and_counts_what_a_busy_machine_loses(
        carried: dict[str, Carried], line: str) -> None:
    found = carried[line].bert
    assert found["bits"] > 0
    lost = carried[line].far_end_lost + found["counters"]["slips"] + (found["counters"]["packets_lost"] or 0)
    if not lost:
        assert found["clean"] and found["errors"] == found["injected"] == 3, found["counters"]
        assert found["bits"] > 3 * 64_000 and found["delay_ms"] > 0


# --- each command ---------------------------------------------------------------------------------

def test_status_tells_alarms_and_what_it_cannot_tell_and_each_second_again(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(Far(tmp_path / name)) for name in ("1", "2", "3"))
        first.span.faults.ais = second.span.faults.ais = True
        (code, out, _), (code_too, table, _), (_, watched, _) = together(
            ["status", first.near, "--for", 5, "--json"], ["status", second.near, "--for", 5],
            ["status", third.near, "--watch", "--for", 2.5, "--json"])
    pictures = [json.loads(line) for line in watched.splitlines()]
    assert len(pictures) >= 2 and pictures[-1]["seconds"] > pictures[0]["seconds"]
    assert code == code_too == 1
    found = json.loads(out)
    assert [alarm for alarm, stands in found["alarms"].items() if stands] == ["ais"]
    assert found["failures"] == ["ais"] and found["alarm_s"]["ais"] > 2.5 and not found["up"]
    assert found["counters"]["code_violations"] is None
    assert re.search(r"^line        DOWN", table, re.M)
    assert re.search(r"^alarms      AIS  all ones: .* declared a failure\)$", table, re.M | re.S)
    assert re.search(r"^cannot tell: code violations, packets in", table, re.M)


def test_a_loop_holds_until_ctrl_c_and_is_gone_then(far: Far) -> None:
    far.echoes = False
    with started("loop", far.near, "payload", "--json") as process:
        wait(lambda: far.heard[-1:] == [1])       # row 1 says 1: our own comes back
        code, out, err = stop(process)
        assert (code, err, json.loads(out)["loop"]) == (0, "", "payload")
    with started("status", far.near, "--for", 600) as process:
        wait(lambda: far.heard[-20:] == 20 * [IDLE])
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0


def test_a_loop_that_the_interface_has_not_got(tmp_path: Path) -> None:
    code, out, err = e1ctl("loop", f"virtual:{tmp_path}/line/b", "line")
    assert (code, out) == (64, "")
    assert "cannot switch it, it can: local, payload" in err


def test_bert_counts_errors_and_says_when_nothing_comes_back(tmp_path: Path) -> None:
    with ExitStack() as stack:
        noisy, silent, slipping, looped = (
            stack.enter_context(Far(tmp_path / name)) for name in ("noisy", "silent", "slipping", "looped"))
        noisy.span.faults.ber = 1e-4
        slipping.span.faults.slips = 2.0
        silent.echoes = looped.echoes = False
        (code, out, _), (code_2, table, _), (code_3, nothing, _), (code_4, whole, _) = together(
            ["bert", noisy.near, "--for", 3, "--pattern", "prbs11", "--json"],
            ["bert", slipping.near, "--for", 3],
            ["bert", silent.near, "--for", 2],
            ["bert", looped.near, "--for", 2, "--loop", "local", "--whole", "--json"])
    assert (code, code_2, code_3, code_4) == (1, 1, 1, 0)
    found = json.loads(out)
    assert 0.5e-4 < found["ber"] < 2e-4 and not found["clean"]
    assert sum(one["errors"] for one in found["each"]) == found["errors"]
    assert found["counters"]["crc_errors"] > 100 and found["counters"]["packets_lost"] is None
    assert re.search(r"^this end    counted .*(CRC-4 errors|E bits)", table, re.M), table
    assert "NO PATTERN came back" in nothing
    assert json.loads(whole)["each"] == []


def test_watch_keeps_a_history_that_history_shows(far: Far, tmp_path: Path) -> None:
    store = tmp_path / "state" / "lines.sqlite"

    def measured_s() -> int:
        code, out, _ = e1ctl("history", far.near, "--store", store, "--json")
        days = [] if code == os.EX_NOINPUT else json.loads(out)["days"]          # nothing was written yet
        return days[-1]["measured_s"] if days else 0

    with started("watch", far.near, "--store", store) as watch:
        assert watch.stdout
        wait(lambda: len(far.heard) > 150)        # longer than it takes to settle
        far.span.faults.los = True
        assert "LOS on: loss of signal" in watch.stdout.readline()
        assert e1ctl("watch", far.near, "--store", store)[0] == 73   # one at a time
        far.span.faults.los = False
        assert "LOS off" in watch.stdout.readline()
        wait(lambda: measured_s() > 2)
        assert stop(watch)[0] == 0
    found = facts("history", far.near, "--store", store)
    day = found["days"][-1]
    assert day["near"]["es"] >= 1 and day["near"]["ses"] >= 1 and day["alarm_s"]["los"] >= 1
    assert sum(one["measured_s"] for one in found["quarters"]) == day["measured_s"] > 2
    for width in (80, 160):
        _, out, _ = e1ctl("history", far.near, "--store", store, columns=width)
        lines = out.splitlines()
        assert max(map(printed, lines[1:])) <= width               # below the URL
        assert re.search(r"^  \d\d-\d\d ·{30}[▁▂▃]$", out, re.M), out
        assert any(line.split()[:1] == ["from"] and "UAS" in line for line in lines)


def test_history_that_is_not_there(tmp_path: Path) -> None:
    store = tmp_path / "none.sqlite"
    code, _, err = e1ctl("history", "virtual:x/b", "--store", store)
    assert code == 66 and str(store) in err and "e1ctl watch" in err


def test_clock_goes_to_the_next_line_and_says_why(tmp_path: Path) -> None:
    urls = [f"virtual:{tmp_path}/{name}/b" for name in ("first", "second")]
    with FarEnd(urls[0][:-1] + "a") as first, FarEnd(urls[1][:-1] + "a") as second:
        command = "clock", *urls, "--hold-off", "0.3", "--revert", "1", "--json"
        with started(*command) as process:
            wait(lambda: min(len(first.heard), len(second.heard)) > 150)
            assert isinstance(first.span, VirtualSpan)
            first.span.faults.los = True
            heard = len(second.heard)
            wait(lambda: len(second.heard) > heard + 100)
            code, out, _ = stop(process)
        found = json.loads(out)
        assert code == 0 and found["source"] == urls[1]
        assert [(change["source"], change["why"]) for change in found["changes"]] == [
            (urls[0], "start"), (urls[1], "failed")]
        assert found["lines"][0] == {"url": urls[0], "usable": False, "why_not": "LOS", "alarms": ["los"],
                                     "slips": 0}


D_FRAME = b"\x02\x01\x7f"                         # SABME


def test_captures_of_the_d_channel_and_of_a_timeslots_sound(tmp_path: Path) -> None:
    trace, path = tmp_path / "d.pcap", tmp_path / "seven.wav"
    with Far(tmp_path / "1") as speaking, Far(tmp_path / "2") as far:
        speaking.speaks, far.echoes = D_FRAME, False
        (code, out, _), (code_2, said, _), (code_3, _, err) = together(
            ["capture", speaking.near, "--for", 1.5, "-o", trace, "--side", "user", "--json"],
            ["capture", far.near, "--for", 1.5, "-o", path, "--timeslot", 7],
            ["capture", "virtual:x/b", "-o", tmp_path / "no" / "such.wav"])
    assert (code, code_2, code_3) == (0, 0, 73)
    found = json.loads(out)
    assert found["frames"] > 10 and found["octets"] == trace.stat().st_size
    shown = ["lapd.control.u_modifier_cmd", "lapd.direction", "_ws.malformed"]
    read = subprocess.run(["tshark", "-n", "-r", trace, "-T", "fields",
                           *(word for name in shown for word in ("-e", name))],
                          capture_output=True, text=True, check=True)
    assert read.stdout.splitlines() == found["frames"] * ["0x1b\t1\t"]      # SABME, from the network, whole
    assert re.search(r"seven.wav: [0-9.]+ s of timeslot 7", " ".join(said.split()))
    sound = subprocess.run(["sox", path, "-t", "al", "-"], capture_output=True, check=True).stdout
    assert set(sound[-4000::2]) == {7} and set(sound[-3999::2]) == {IDLE}
    assert "-o" in err


def test_verdict_alone_and_with_a_person_at_the_line(tmp_path: Path) -> None:
    paper, trace = tmp_path / "r.pdf", tmp_path / "r.pcap"
    with ExitStack() as stack:
        alone, skips, quits = (stack.enter_context(Far(tmp_path / name)) for name in ("1", "2", "3"))
        alone.span.faults.ais = skips.span.faults.los = quits.span.faults.los = True
        (code, out, _), (code_2, table, asked), (code_3, no_table, given_up) = together(
            ["verdict", alone.near, "--no-plug", "--for", 1, "--site", "Hangzhou 2", "--lang", "zh",
             "--pdf", paper, "--pcap", trace, "--store", tmp_path / "none", "--json"],
            ["verdict", skips.near, "--for", 1], ["verdict", quits.near, "--for", 1],
            typed=[None, "s\n\n", "q\n"])
    assert code == 1
    found = json.loads(out)
    assert (found["fault"], found["finding"], found["site"]) == ("telco", "ais", "Hangzhou 2")
    assert "运营商" in found["headline"] and found["evidence"]["line"]["alarms"]["ais"] > 0.5
    assert paper.read_bytes().startswith(b"%PDF-")
    assert trace.stat().st_size > len(FILE_HEADER)                   # the SABME that nobody heard
    assert code_2 == 1 and asked.count(ANSWERS["en"]) == 2 and "cable" in table
    assert (code_3, no_table) == (130, "") and "given up" in given_up


def test_a_device_that_vanishes_is_an_alarm_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "e1d"
    command = "watch", f"e1d:{path}?intf=1", "--store", tmp_path / "lines"
    assert e1ctl(*command)[0] == 69               # not there from the beginning: the user's mistake
    with ExitStack() as stack:
        with E1dServer(path) as server:
            process = stack.enter_context(started(*command))
            assert process.stdout and process.stderr
            wait(lambda: len(server.timeslots) > len(BEARERS))
        assert "LOS on" in process.stdout.readline()
        assert str(path) in process.stderr.readline()
        path.unlink()
        with E1dServer(path):
            while "LOS off" not in process.stdout.readline():
                assert process.poll() is None
            assert stop(process)[0] == 0


# --- errors ---------------------------------------------------------------------------------------

ERRORS: list[tuple[list[str], int, str]] = [      # arguments, exit code, what is said
    (["status", "isdn:1"], 64, "virtual:..., e1d:..., dahdi:..., satop:..."),
    (["status", "virtual:x"], 64, "virtual:PATH/a or virtual:PATH/b"),
    (["status", "virtual:x/b?los=perhaps"], 64, "los=perhaps"),
    (["status", "e1d:/nowhere/e1d.ctl"], 69, "/nowhere/e1d.ctl"),
    (["status", "virtual:x/b", "--for", "soon"], 64, "90s, 15m, 2h"),
    (["bert", "virtual:x/b", "--timeslots", "1-16"], 64, "timeslots are 1-15 and 17-31"),
    (["bert", "virtual:x/b", "--timeslots", "1-99999999"], 64, "timeslots are 1-15 and 17-31"),
    (["bert", "virtual:x/b", "--pattern", "prbs9"], 64, "prbs11, prbs15, qrss"),
    (["clock", "virtual:x/b", "virtual:x/b"], 64, "each line once"),
    (["capture", "virtual:x/b", "-o", "x.wav", "--timeslot", "16"], 64, "--timeslot"),
    (["loop", "virtual:x/b", "round"], 64, "local"),
    (["watch", "virtual:x/b", "--store", "/proc/no/store"], 73, "--store"),
    ([], 64, "Usage"),
]


@pytest.fixture(scope="module")
def refused() -> dict[str, tuple[int, str, str]]:
    return {str(arguments): said for some in at_once(ERRORS)
            for (arguments, _, _), said in zip(some, together(*(each[0] for each in some)), strict=True)}


@pytest.mark.parametrize(("arguments", "code", "says"), ERRORS)
def test_errors_say_which_part_and_what_to_do(
        refused: dict[str, tuple[int, str, str]], arguments: list[str], code: int, says: str) -> None:
    found, out, err = refused[str(arguments)]
    assert (found, out) == (code, ""), err
    assert says in " ".join(err.split()) and "Traceback" not in err

