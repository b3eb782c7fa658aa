"""branchline sim, as a person types it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.centre.projector import ContactProjector
from appliance.launch.cli import main
from appliance.store.events import EventLog
from tests.sim.test_figures import drawn
from tests.sim.test_load import BOX, FLOW, SCENARIO


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    for name, text in (("branchline.yaml", BOX), ("main.yaml", FLOW), ("day.yaml", SCENARIO),
                       ("handling.txt", "120\n60\n90\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "day.yaml"


def branchline(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["sim", *map(str, arguments)])


def test_a_day_and_what_if(scenario: Path) -> None:
    svg, log = scenario.with_name("day.svg"), scenario.with_name("day.sqlite")
    done = branchline("run", scenario, "--what-if", "agents=+2", "--intervals", "--svg", svg, "--log", log)
    assert done.exit_code == 0, done.output
    assert "as it is" in done.stdout and "agents=+2" in done.stdout and "service level" in done.stdout
    assert "08:15" in done.stdout
    assert drawn(svg.read_text(encoding="utf-8"))[0][0] == "svg"
    kept = EventLog(log, ContactProjector())
    try:
        assert kept.counts()["contacts"] > 20
    finally:
        kept.close()
    again = branchline("run", scenario, "--log", log)
    assert again.exit_code == 78 and "is there already: name a new file" in again.stderr


def test_figures_for_programs(scenario: Path) -> None:
    done = branchline("run", scenario, "--json", "--replications", 3, "--seed", 5)
    found = json.loads(done.stdout)
    study, = found["studies"]
    assert (study["title"], study["replications"]) == ("as it is", 3)
    assert study["queues"][""]["figures"]["calls"]["half"] > 0
    assert set(study["queues"]["sales"]["intervals"]) == {"08:00", "08:15", "08:30", "08:45"}
    assert found["metrics"]["asa_s"]["formula"] == "waits of the answered / answered"


@pytest.mark.parametrize(("arguments", "code", "says"), [
    (["run", "none.yaml"], 78, "none.yaml: No such file"),
    (["run", "SCENARIO", "--what-if", "agents=many"], 78, "'agents=many': write how many more or fewer"),
    (["run", "SCENARIO", "--what-if", "box=none.yaml"], 78, "none.yaml: No such file"),
    (["run", "SCENARIO", "--svg", "/nowhere/day.svg"], 78, "/nowhere/day.svg: No such file"),
    (["erlang", "--calls-per-hour", "0", "--aht-s", "180"], 2, "calls per hour: 0: write more than 0"),
    (["erlang", "--calls-per-hour", "9", "--aht-s", "180", "--target", "20"], 2, "write per cent and"),
])
def test_what_is_wrong_is_said_in_a_line(scenario: Path, arguments: list[str], code: int, says: str) -> None:
    done = branchline(*(scenario if one == "SCENARIO" else one for one in arguments))
    assert (done.exit_code, done.exception.__class__) == (code, SystemExit)
    assert says in done.stderr and "Traceback" not in done.output


def test_a_branch_is_sized_by_formula() -> None:
    done = branchline("erlang", "--calls-per-hour", 200, "--aht-s", 180, "--shrinkage", 30)
    assert done.exit_code == 0
    assert "10.00 erlangs (Erlang C)" in done.stdout and "agents     14 to answer 80 %" in done.stdout
    assert "on staff   20 with 30 %" in done.stdout and "1 E1" in done.stdout
    row, = (line for line in done.stdout.splitlines() if line.endswith("<"))
    assert row.split()[:4] == ["14", "88.8", "%", "7.8"]
    patient = branchline("erlang", "--calls-per-hour", 200, "--aht-s", 180, "--patience-s", 60).stdout
    assert "(Erlang A)" in patient and "agents     12 to answer" in patient


def test_fewer_agents_than_work_is_said_and_not_computed() -> None:
    done = branchline("erlang", "--calls-per-hour", 20, "--aht-s", 180)
    assert "1  the line grows without end" in done.stdout
