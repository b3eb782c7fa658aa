"""The process that runs a test: it says what happens, does as it is told, and ends with who began it."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STEERED = [sys.executable, "-I", "-m", "e1_driver.ctl.steered"]
PATIENCE_S = 30.0


class Child:
    """The process on the far side of a virtual line that sends back what it hears."""

    def __init__(self, url: str, **order: Any) -> None:
        whole = {"url": url, "kind": "bert", "for_s": 600.0, "pattern": "prbs15", "timeslots": [1, 31],
                 "inject": 0, "itself": False, "loop": "line", "plugs": False, "side": "user", "site": "",
                 "store": "/nonexistent", "name": "telco", "papers": {}, **order}
        self.process = subprocess.Popen([*STEERED, json.dumps(whole)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def says(self, key: str) -> Any:
        """The next line of this kind."""
        assert self.process.stdout
        for line in self.process.stdout:
            if key in (said := json.loads(line)):
                return said[key]
        raise AssertionError(f"it ended without {key}: {self.process.stderr and self.process.stderr.read()}")

    def tell(self, word: str) -> None:
        assert self.process.stdin
        print(word, file=self.process.stdin, flush=True)

    def end(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return code


@pytest.fixture
def line(tmp_path: Path) -> Iterator[str]:
    """Our end of a line whose far end loops it back."""
    path = tmp_path / "l"
    far = subprocess.Popen([sys.executable, "-m", "tests.e1_driver.echo_end", f"virtual:{path}/a"])
    yield f"virtual:{path}/b"
    far.kill()
    far.wait()


def test_a_stopped_test_says_what_it_found(line: str) -> None:
    child = Child(line, inject=3)
    while child.says("progress")["figures"]["errors"] < 3:       # those that it sent on purpose
        pass
    child.tell("stop")
    facts = child.says("facts")
    assert facts["clean"] and facts["errors"] == facts["injected"] == 3 and facts["bits"] > 0
    assert child.end() == 0


def test_it_ends_when_nobody_holds_it_any_more(line: str) -> None:
    child = Child(line)
    child.says("progress")
    assert child.process.stdin
    child.process.stdin.close()                   # as when boxd is killed
    assert child.says("facts")["bits"] >= 0
    assert child.end() == 0


def test_a_line_that_cannot_be_opened_is_one_clear_error() -> None:
    child = Child("dahdi:99")
    assert child.process.wait(PATIENCE_S) == 69
    assert child.process.stderr and "dahdi" in child.process.stderr.read().lower()
    child.end()
