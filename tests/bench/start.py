"""From `branchline up` to the first telephone call that can be made."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from hil_tests.instruments.call import NotSeen
from hil_tests.instruments.exchange import SoftwareExchange
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import QUEUE_FLOW, BenchError, config
from tests.e2e.rig import write_prompts

FIGURE = "branchline up to both D-channels up"
UP_S = 30.0
STOP_S = 20.0


def once(say: Say) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        path = _lay_out(folder)
        line = f"virtual:{folder}/lines"
        with (SoftwareExchange(f"{line}/telco/a", side="network", name="telco") as telco,
              SoftwareExchange(f"{line}/pbx/a", side="user", name="pbx") as pbx):
            began = time.monotonic()
            with (folder / "log").open("w") as log:
                box = subprocess.Popen(
                    [sys.executable, "-m", "appliance.launch", "up", "--config", str(path), "--port", "0",
                     "--state-dir", str(folder / "var"), "--run-dir", str(folder / "run")],
                    stdout=log, stderr=log)
            try:
                telco.wait_up(UP_S)
                pbx.wait_up(UP_S)
                took_s = time.monotonic() - began
            except NotSeen as error:
                raise BenchError(f"{error}; the box said:\n{(folder / 'log').read_text()}") from None
            finally:
                box.terminate()
                box.wait(STOP_S)
    return {FIGURE: took_s}


def _lay_out(folder: Path) -> Path:
    """The configuration's path."""
    box = folder / "box"
    box.mkdir()
    written = config()
    for span in written["spans"]:
        span["url"] = span["url"].replace("LINES", f"{folder}/lines")
    (box / "branchline.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    (box / "main.yaml").write_text(yaml.safe_dump(QUEUE_FLOW), encoding="utf-8")
    write_prompts(box / written["media"]["prompts"])
    return box / "branchline.yaml"


START = Theme(
    "start", "A new box, both exchanges waiting at the far ends of its lines: from the start of the launcher "
    "to layer 2 up at both exchanges.",
    (Kind(FIGURE, "s"),), once, runs=5)
