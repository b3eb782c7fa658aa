"""Scenario documents: what they may say, and each mistake with its file and line."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from appliance.errors import ConfigError
from appliance.sim.chances import Chance
from appliance.sim.load import known_calls, load, variant
from appliance.sim.scenario import Scenario
from appliance.sim.world import simulate
from tests.conftest import ROOT

BOX = """\
spans:
  - {name: telco1, url: "virtual:/nowhere/telco/b", side: user, trunk: telco}
  - {name: pbx1, url: "virtual:/nowhere/pbx/b", side: network, trunk: pbx}
centre:
  inbound: [{trunk: telco, called: "5001", flow: main.yaml}]
  queues:
    - {name: sales, agents: [ann, bo]}
  agents:
    - {name: ann, extension: "801", trunk: pbx}
    - {name: bo, extension: "802", trunk: pbx}
"""
FLOW = "start: wait\nnodes: {wait: {kind: queue, queue: sales}}\n"
SCENARIO = """\
box: branchline.yaml
day: 2026-01-05
begins: "08:00"
ends: "09:00"
replications: 2
arrivals:
  - called: "5001"
    calls_per_hour: {08:00: 30, 08:30: 60}
patience: {kind: exponential, mean_s: 90}
handling: {kind: data, file: handling.txt}
queues:
  sales: {patience: never}
shifts:
  - {agents: [bo], begins: "08:00", ends: "09:00", breaks: [{begins: "08:20", ends: "08:30"}]}
"""
DAY = """\
time,called,caller,patience_s,handling_s
08:15:30,5001,13800000001,60,100
2026-01-05T08:00:01.5,,13800000002,,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("branchline.yaml", BOX), ("main.yaml", FLOW), ("day.yaml", SCENARIO),
                       ("day.csv", DAY), ("handling.txt", "120\n60\n\n90.5\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def changed(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def test_a_scenario_and_all_that_it_names(folder: Path) -> None:
    branch = load(folder / "day.yaml")
    assert branch.scenario.handling.quantile_s(0.5) == 90.5
    assert branch.channels() == {"telco": 30, "pbx": 30}
    assert len(simulate(branch).records) > 20


def test_a_real_day_is_read_in_order_of_time(folder: Path) -> None:
    changed(folder, "day.yaml", "calls_per_hour: {08:00: 30, 08:30: 60}", "csv: day.csv")
    branch = load(folder / "day.yaml")
    assert [(call.at_s, call.calling, call.patience_s) for call in branch.known[0]] == [
        (28801.5, "13800000002", None), (29730.0, "13800000001", 60.0)]
    assert [record.calling for record in simulate(branch).records] == ["13800000002", "13800000001"]


@pytest.mark.parametrize(("old", "new", "says"), [
    ("box: branchline.yaml", "box: other.yaml", "other.yaml: No such file or directory"),
    ("day: 2026-01-05", "day: never", "day.yaml:2: day: "),
    ('"09:00"\nrep', '"07:00"\nrep', "day.yaml:1: ends 07:00 is not after begins 08:00"),
    ('ends: "09:00"\nrep', "ends: 10:00\nrep", "day.yaml:4: ends: YAML does not read 10:00 as text"),
    ('begins: "08:00"\nends', 'begins: "8:00"\nends', "day.yaml:3: begins: '8:00': write hours and minutes"),
    ("replications: 2", "replications: 0", "day.yaml:5: replications: Input should be greater"),
    ("08:30: 60", "08:30: -1", "day.yaml:8: arrivals[0].calls_per_hour.08:30: Input should be greater"),
    ("    calls_per_hour: {08:00: 30, 08:30: 60}\n", "", "day.yaml:7: arrivals[0]: give calls_per_hour, or"),
    ('called: "5001"', 'called: "5002"', "day.yaml:7: arrivals[0]: trunk: say where the calls come in: 5002"),
    ('called: "5001"', "queue: sails", "day.yaml:7: arrivals[0].queue: no queue is called 'sails'"),
    ("kind: exponential", "kind: poisson", "day.yaml:9: patience: Input tag 'poisson'"),
    ("{kind: exponential, mean_s: 90}", "{mean_s: 90}",
     "day.yaml:9: patience: 'kind' is missing: which one is it?"),
    ("mean_s: 90}", "mean: 90}", "day.yaml:9: patience.mean: no such key"),
    ("file: handling.txt", "file: none.txt", "none.txt: No such file"),
    ("  sales: {patience: never}", "  sails: {patience: never}", "day.yaml:12: queues.sails: no queue is"),
    ("agents: [bo]", "agents: [eve]", "day.yaml:14: shifts[0].agents: no agent is called 'eve'"),
    ('ends: "08:30"', 'ends: "08:10"', "day.yaml:14: shifts[0].breaks[0]: ends 08:10 is not after begins"),
    ("day:", "timezone: Mars\nday:", "day.yaml:2: timezone: 'Mars': no such time zone"),
])
def test_a_mistake_is_named_with_its_line(folder: Path, old: str, new: str, says: str) -> None:
    changed(folder, "day.yaml", old, new)
    with pytest.raises(ConfigError) as caught:
        load(folder / "day.yaml")
    assert says in str(caught.value)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("time,", "when,", "day.csv:1: when: the columns are time, called"),
    ("08:15:30", "8h15", "day.csv:2: time: '8h15': write 08:00"),
    ("13800000001", "ann", "day.csv:2: caller: 'ann': write digits"),
    (",60,100", ",-60,1e9", "day.csv:2: patience_s: Input should be greater than or equal to 0\n"),
    (",60,100", ",60,100,5", "day.csv:2: more cells than columns"),
    ("08:15:30", '"' + 200_000 * "x", "day.csv:2: field larger than field limit"),
], ids=lambda text: text[:20])
def test_a_mistake_in_a_real_day_is_named_with_its_line(folder: Path, old: str, new: str, says: str) -> None:
    changed(folder, "day.csv", old, new)
    with pytest.raises(ConfigError) as caught:
        known_calls(folder / "day.csv")
    assert says in str(caught.value)


@pytest.mark.parametrize(("octets", "says"), [
    (b"120\nlong\n", "handling.txt:2: 'long': "), (b"\n", "handling.txt: has no value"),
    (b"\xff\xfe", "handling.txt: octet 0: not UTF-8"), (b"120\n-1\n", "handling.txt:2: '-1': Input")])
def test_a_mistake_in_measured_times_is_named_with_its_line(folder: Path, octets: bytes, says: str) -> None:
    (folder / "handling.txt").write_bytes(octets)
    with pytest.raises(ConfigError) as caught:
        load(folder / "day.yaml")
    assert says in str(caught.value)


def test_another_document_is_another_variant(folder: Path) -> None:
    (folder / "new.yaml").write_text(BOX.replace("agents: [ann, bo]", "agents: [bo]"), encoding="utf-8")
    branch = variant(load(folder / "day.yaml"), f"box={folder / 'new.yaml'}, agents=+1")
    assert [queue.agents for queue in branch.config.centre.queues] == [["bo"]]
    assert [agent.name for agent in branch.config.centre.agents] == ["ann", "bo", "extra-1"]
    (folder / "new.yaml").write_text(BOX.replace("bo]", "eve]").replace("name: bo", "name: eve"),
                                     encoding="utf-8")
    with pytest.raises(ConfigError, match=r"new\.yaml: does not fit the scenario: shifts\.0\.agents: no ag"):
        variant(load(folder / "day.yaml"), f"box={folder / 'new.yaml'}")


def keys(kind: type[BaseModel]) -> set[str]:
    """The last name of every setting."""
    parts = {part for field in kind.model_fields.values() for part in _parts(field.annotation)}
    inner = {part for part in parts if not issubclass(part, Chance)}
    return {name for name, field in kind.model_fields.items()
            if not inner & _parts(field.annotation)}.union(*(keys(part) for part in inner))


def _parts(annotation: object) -> set[type[BaseModel]]:
    found = {annotation} if isinstance(annotation, type) and issubclass(annotation, BaseModel) else set()
    return found.union(*(_parts(one) for one in get_args(annotation)))


def test_every_key_is_explained() -> None:
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    table = page.split("## The scenario")[1].split("A *time* is")[0]
    rows = re.findall(r"^\| ([a-z_A-Z., ]+) \|", table, re.M)[1:]
    named = {key.removesuffix(".NAME").split(".")[-1] for row in rows for key in row.split(", ")}
    assert named == keys(Scenario)
