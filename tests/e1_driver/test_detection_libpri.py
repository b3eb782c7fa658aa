"""The same against libpri, over a line that keeps time, as boxd runs it: a process with its order."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from e1_driver.ctl.detect import url_for, with_crc4
from hil_tests.instruments.exchange import SoftwareExchange

WITHIN_S = 10.0


def detect(url: str) -> tuple[dict[str, Any], list[str], float]:
    """Facts, the steps that were said, and how long it took."""
    began = time.monotonic()
    order = {"url": url, "kind": "detect", "for_s": 15.0, "country": "cn"}
    with subprocess.Popen([sys.executable, "-I", "-m", "e1_driver.ctl.steered", json.dumps(order)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        said = [json.loads(line) for line in process.stdout]          # its stdin stays open meanwhile
        assert process.wait() == 0, process.stderr.read()
    steps = [one["step"]["en"] for one in said if "step" in one]
    return said[-1]["facts"], steps, time.monotonic() - began


@pytest.mark.need(15)
@pytest.mark.parametrize(("side", "far", "near", "crc4"), [
    ("network", "?framing=g704&crc4=on", "?framing=g704&crc4=off", "on"),
    ("network", "?framing=g704&crc4=off", "?framing=g704&crc4=on", "off"),
    ("user", "?framing=g704&crc4=on", "?framing=g704&crc4=off", "on"),
    ("user", "?framing=g704&crc4=off", "?framing=g704&crc4=on", "off"),
    ("user", "", "", ""),
])
def test_libpri_in_either_role_is_found(side: str, far: str, near: str, crc4: str) -> None:
    with tempfile.TemporaryDirectory(prefix="detect-") as folder:
        line = f"virtual:{folder}/line"
        with SoftwareExchange(f"{line}/a{far}", side=side) as exchange:        # type: ignore[arg-type]
            facts, steps, took_s = detect(f"{line}/b{near}")
            found = {one["what"]: one for one in facts["findings"]}
            ours = "user" if side == "network" else "network"
            assert (found["side"]["value"], found["side"]["sure"]) == (ours, "tried")
            assert found["crc4"]["value"] == crc4 and found["d_channel"]["value"] == "16"
            assert found["profile"]["value"] == ("china" if ours == "user" else "etsi")
            assert facts["up"] and not facts["looped"]
            assert took_s < WITHIN_S and steps[-1] == "Done"
            exchange.wait_down(WITHIN_S)          # told so: it does not go on as if we were there


def test_nobody_at_the_far_end(tmp_path: Path) -> None:
    facts, _, took_s = detect(f"virtual:{tmp_path}/nobody/b?framing=g704")
    assert [one["value"] for one in facts["findings"]] == ["los"] and not facts["up"]
    assert took_s < WITHIN_S


def test_the_word_on_crc4_goes_into_urls_that_take_one() -> None:
    assert with_crc4("card:/dev/linecard?span=1&crc4=off", "on") == "card:/dev/linecard?span=1&crc4=on"
    assert with_crc4("virtual:/x/a?framing=g704", "off") == "virtual:/x/a?framing=g704&crc4=off"
    assert with_crc4("virtual:/x/a", "on") == with_crc4("dahdi:1", "on") == ""
    assert url_for("dahdi:1") == "dahdi:1"
    assert url_for("satop:192.0.2.7:2142?crc4=on") == "satop:192.0.2.7:2142?crc4=auto"
    with pytest.raises(ValueError, match="unknown span URL"):
        url_for("isdn:1")
