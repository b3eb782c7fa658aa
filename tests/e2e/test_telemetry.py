"""A whole box tells its series: cut off, boxd killed, back; nothing of it is lost, and boxd stays small."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.box.telemetry.area import FOLDER
from appliance.box.telemetry.spool import Spool
from appliance.bus.messages import DAEMONS, GetHealth
from tests.box.telemetry.answering import Answering, serve
from tests.e2e.rig import CONFIG, Rig

INTERVAL_S = 5.0
COMES_S = 40.0                                    # on a machine with other work


@pytest.fixture(scope="module")
def influx() -> Iterator[Answering]:
    yield from serve()


@pytest.fixture(scope="module")
def rig_options(influx: Answering) -> dict[str, Any]:
    influx.away = True
    telemetry = {"url": influx.url, "org": "noc", "bucket": "branches", "token_file": "influx-token",
                 "interval_s": INTERVAL_S, "tags": {"site": "hangzhou"}}
    return {"config": {**CONFIG, "telemetry": telemetry}, "files": {"influx-token": "a-token\n"}}


def lines(influx: Answering) -> list[str]:
    """Of the next write."""
    return gzip.decompress(influx.taken.get(timeout=COMES_S).body).decode().splitlines()


def kept(rig: Rig) -> bool:
    return any(path.stat().st_size for path in (rig.state_dir / FOLDER).glob("*.frames"))


def test_a_box_that_is_cut_off_and_killed_tells_all_that_it_kept(rig: Rig, influx: Answering) -> None:
    rig.bus.ask_until(GetHealth(), lambda _: kept(rig), COMES_S)
    rig.kill("boxd")
    before = Spool(rig.state_dir / FOLDER, 1 << 26, 86_400.0)
    frames = before.batch(1 << 20)
    before.close()
    influx.away = False
    rig.start("boxd")
    first = lines(influx)                         # at once: it does not wait for a sample of its own
    assert first == gzip.decompress(b"".join(frame.member for frame in frames)).decode().splitlines()
    told = "\n".join(lines(influx))               # by the new one
    (name,) = [line for line in told.splitlines()
               if line.startswith("branchline_box,") and "version=" in line]
    assert ",site=hangzhou," in name and ",box=" in name and " info=1 " in name
    for span in ("telco1", "pbx1"):
        assert f",span={span} " in told.partition("branchline_span,")[2]
    for daemon in DAEMONS:
        (line,) = [line for line in told.splitlines()
                   if line.startswith("branchline_daemon,") and f"daemon={daemon}," in line]
        assert ",up=1" in line
    for measurement in ("branchline_channel", "branchline_queue", "branchline_agent", "branchline_disk",
                        "branchline_link", "branchline_telemetry", "branchline_span_alarm"):
        assert f"\n{measurement}," in told
    assert "today_offered=0" in told
    assert all(asked.headers["Authorization"] == "Token a-token" for asked in influx.asked)
    (boxd,) = [one for one in rig.bus.ask(GetHealth()).health.daemons if one.daemon == "boxd"]
    assert boxd.rss_octets < 90e6
    assert "a-token" not in rig.log("boxd")
    assert "telemetry" not in "".join(rig.complaints())
