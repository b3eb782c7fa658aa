"""e1ctl as its user runs it: a program beside a far end; what it prints and leaves behind, how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from e1_driver import BEARERS, IDLE, Alarm, Counters
from e1_driver.ctl.table import printed
from e1_driver.ctl.verdict import ANSWERS
from e1_driver.pcap import FILE_HEADER
from e1_driver.virtual import VirtualSpan
from tests.conftest import ROOT
from tests.e1_driver.circuits import pair_urls
from tests.e1_driver.e1d_server import E1dServer
from tests.e1_driver.far_end import FarEnd
from tests.e1_driver.line_docs import can_tell, told
from tests.e1_driver.test_card import Cards

E1CTL = [sys.executable, "-m", "e1_driver.ctl"]
WITHIN_S = 60.0


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
ATTEMPTS = 4                                      # lines that go by this machine's clock, and it is busy


@pytest.mark.parametrize("line", LINES)
def test_every_interface_has_a_status_and_carries_a_test(tmp_path: Path, line: str) -> None:
    with LINES[line](tmp_path) as (near, far_url), FarEnd(far_url):
        found = facts("status", near, "--for", 2)
        assert found["up"] and found["counters"]["blocks_in"] > 50
        assert set(found["alarms"]) == set(Alarm) and not any(found["alarms"].values())
        assert set(found["counters"]) == set(Counters.__dataclass_fields__)
        alarms, counters = ([name for name, value in found[key].items() if value is not None]
                            for key in ("alarms", "counters"))
        assert told(alarms, counters, found["loops"]) == can_tell(line)        # docs/line.md
        for _ in range(ATTEMPTS):
            code, out, _ = e1ctl("bert", near, "--for", 4, "--timeslots", "1,15,31", "--inject", 3, "--json")
            found = json.loads(out)
            if code == 0:
                break
        assert found["clean"] and found["errors"] == found["injected"] == 3, found
        assert found["bits"] > 3 * 64_000 and found["delay_ms"] > 0


# --- each command ---------------------------------------------------------------------------------

def test_status_tells_alarms_and_what_it_cannot_tell(far: Far) -> None:
    far.span.faults.ais = True
    found = facts("status", far.near, "--for", 6, code=1)
    assert [alarm for alarm, stands in found["alarms"].items() if stands] == ["ais"]
    assert found["failures"] == ["ais"] and found["alarm_s"]["ais"] > 2.5 and not found["up"]
    assert found["counters"]["code_violations"] is None
    code, out, _ = e1ctl("status", far.near, "--for", 6)
    assert code == 1
    assert re.search(r"^line        DOWN", out, re.M)
    assert re.search(r"^alarms      AIS  all ones: .* declared a failure\)$", out, re.M | re.S)
    assert re.search(r"^cannot tell: code violations, packets in", out, re.M)


def test_a_picture_each_second(far: Far) -> None:
    _, out, _ = e1ctl("status", far.near, "--watch", "--for", 2.5, "--json")
    pictures = [json.loads(line) for line in out.splitlines()]
    assert len(pictures) >= 2 and pictures[-1]["seconds"] > pictures[0]["seconds"]


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


def test_bert_counts_errors_and_says_when_nothing_comes_back(far: Far) -> None:
    far.span.faults.ber = 1e-4
    found = facts("bert", far.near, "--for", 4, "--pattern", "prbs11", code=1)
    assert 0.5e-4 < found["ber"] < 2e-4 and not found["clean"]
    assert sum(one["errors"] for one in found["each"]) == found["errors"]
    far.span.faults.ber = 0.0
    far.echoes = False
    code, out, _ = e1ctl("bert", far.near, "--for", 2)
    assert code == 1 and "NO PATTERN came back" in out
    assert facts("bert", far.near, "--for", 3, "--loop", "local", "--whole")["each"] == []


def test_watch_keeps_a_history_that_history_shows(far: Far, tmp_path: Path) -> None:
    store = tmp_path / "state" / "lines.sqlite"

    def measured_s() -> int:
        days = facts("history", far.near, "--store", store)["days"]
        return days[-1]["measured_s"] if days else 0

    with started("watch", far.near, "--store", store) as watch:
        assert watch.stdout
        wait(lambda: len(far.heard) > 200)        # longer than it takes to settle
        far.span.faults.los = True
        assert "LOS on: loss of signal" in watch.stdout.readline()
        assert e1ctl("watch", far.near, "--store", store)[0] == 73   # one at a time
        far.span.faults.los = False
        assert "LOS off" in watch.stdout.readline()
        wait(lambda: measured_s() > 4)
        assert stop(watch)[0] == 0
    found = facts("history", far.near, "--store", store)
    day = found["days"][-1]
    assert day["near"]["es"] >= 1 and day["near"]["ses"] >= 1 and day["alarm_s"]["los"] >= 1
    assert sum(one["measured_s"] for one in found["quarters"]) == day["measured_s"] > 4
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
            wait(lambda: min(len(first.heard), len(second.heard)) > 200)
            assert isinstance(first.span, VirtualSpan)
            first.span.faults.los = True
            heard = len(second.heard)
            wait(lambda: len(second.heard) > heard + 200)
            code, out, _ = stop(process)
        found = json.loads(out)
        assert code == 0 and found["source"] == urls[1]
        assert [(change["source"], change["why"]) for change in found["changes"]] == [
            (urls[0], "start"), (urls[1], "failed")]
        assert found["lines"][0] == {"url": urls[0], "usable": False, "why_not": "LOS", "alarms": ["los"],
                                     "slips": 0}


D_FRAME = b"\x02\x01\x7f"                         # SABME


def test_capture_of_the_d_channel_opens_in_wireshark(far: Far, tmp_path: Path) -> None:
    far.speaks = D_FRAME
    found = facts("capture", far.near, "--for", 2, "-o", tmp_path / "d.pcap", "--side", "user")
    assert found["frames"] > 10 and found["octets"] == (tmp_path / "d.pcap").stat().st_size
    shown = ["lapd.control.u_modifier_cmd", "lapd.direction", "_ws.malformed"]
    read = subprocess.run(["tshark", "-n", "-r", tmp_path / "d.pcap", "-T", "fields",
                           *(word for name in shown for word in ("-e", name))],
                          capture_output=True, text=True, check=True)
    assert read.stdout.splitlines() == found["frames"] * ["0x1b\t1\t"]      # SABME, from the network, whole


def test_capture_of_a_timeslot_is_its_sound(far: Far, tmp_path: Path) -> None:
    far.echoes = False
    path = tmp_path / "seven.wav"
    code, out, _ = e1ctl("capture", far.near, "--for", 2, "-o", path, "--timeslot", 7)
    assert code == 0 and re.search(r"seven.wav: [0-9.]+ s of timeslot 7", " ".join(out.split()))
    sound = subprocess.run(["sox", path, "-t", "al", "-"], capture_output=True, check=True).stdout
    assert set(sound[-8000::2]) == {7} and set(sound[-7999::2]) == {IDLE}
    code, _, err = e1ctl("capture", far.near, "-o", tmp_path / "no" / "such.wav")
    assert code == 73 and "-o" in err


def test_verdict_alone_says_who_and_writes_the_report(far: Far, tmp_path: Path) -> None:
    far.span.faults.ais = True
    paper, trace = tmp_path / "r.pdf", tmp_path / "r.pcap"
    found = facts("verdict", far.near, "--no-plug", "--for", 2, "--site", "Hangzhou 2", "--lang", "zh",
                  "--pdf", paper, "--pcap", trace, "--store", tmp_path / "none", code=1)
    assert (found["fault"], found["finding"], found["site"]) == ("telco", "ais", "Hangzhou 2")
    assert "运营商" in found["headline"] and found["evidence"]["line"]["alarms"]["ais"] > 1
    assert paper.read_bytes().startswith(b"%PDF-")
    assert trace.stat().st_size > len(FILE_HEADER)                   # the SABME that nobody heard


def test_verdict_with_a_person_at_the_line(far: Far) -> None:
    far.span.faults.los = True
    code, out, err = e1ctl("verdict", far.near, "--for", 2, typed="s\n\n")
    assert code == 1
    assert err.count(ANSWERS["en"]) == 2
    assert "cable" in out
    code, out, err = e1ctl("verdict", far.near, "--for", 2, typed="q\n")
    assert (code, out) == (130, "") and "given up" in err


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

@pytest.mark.parametrize(("arguments", "code", "says"), [
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
])
def test_errors_say_which_part_and_what_to_do(arguments: list[str], code: int, says: str) -> None:
    found, out, err = e1ctl(*arguments)
    assert (found, out) == (code, ""), err
    assert says in " ".join(err.split()) and "Traceback" not in err

