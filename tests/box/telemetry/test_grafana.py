"""Dashboards and rules: as Grafana and Prometheus read them, of measures that the box writes."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.alerting import Rule
from grafana_foundation_sdk.models.dashboard import Dashboard

from appliance.box.telemetry import client
from appliance.box.telemetry.alarms import ALARMS, Alarm
from appliance.box.telemetry.client import Server
from appliance.box.telemetry.grafana import FOLDER, files
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.points import member, sample
from tests.box.telemetry.a_box import AT, a_box
from tests.box.telemetry.victoria import victoria

NAMED = {measure.name: measure for measure in MEASURES}
WRITTEN = {(measure.measurement, measure.field): measure for measure in MEASURES}
BOARDS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.json"))
FLUX_OF = re.compile(r'r\._measurement == "([^"]*)" and r\._field == "([^"]*)"')
RULES = FOLDER / "prometheus/rules.yml"


def test_what_is_shipped_is_what_the_tables_say() -> None:
    shipped = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in FOLDER.rglob("*.*")}
    assert shipped == dict(files())               # else: python -m appliance.box.telemetry.grafana


def board(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return found


def targets(name: str) -> Iterator[dict[str, Any]]:
    for panel in board(name)["panels"]:
        yield from panel["targets"]


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_own_types_read_all_of_a_dashboard(name: str) -> None:
    """What is not of its schema would not come back, or be another type."""
    made = board(name)
    read = json.loads(json.dumps(Dashboard.from_json(json.loads(json.dumps(made))), cls=JSONEncoder))

    def within(ours: Any, theirs: Any, where: str) -> None:
        if isinstance(ours, dict):
            assert isinstance(theirs, dict), where
            for key, value in ours.items():
                assert key in theirs, f"{where}.{key}: not of Grafana's schema"
                within(value, theirs[key], f"{where}.{key}")
        elif isinstance(ours, list):
            assert isinstance(theirs, list) and len(ours) == len(theirs), where
            for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                within(one, other, f"{where}[{index}]")
        else:
            assert ours == theirs, where

    within(made, read, name)


def test_identifiers_and_places_are_there_once() -> None:
    boards = [board(name) for name in BOARDS]
    assert len({one["uid"] for one in boards}) == len(boards) and all(len(one["uid"]) <= 40 for one in boards)
    for one in boards:
        taken: set[tuple[int, int]] = set()
        for panel in one["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            assert not taken & cells and max(x for x, _ in cells) < 24
            taken |= cells
        assert len({panel["id"] for panel in one["panels"]}) == len(one["panels"])


def measures_of(query: str) -> list[str]:
    """Names that PromQL or Flux asks for."""
    if "from(" in query:
        return [f"{measurement}_{field}" for measurement, field in FLUX_OF.findall(query)]
    return re.findall(r"branchline_\w+", query)


def in_order_of_time(query: str) -> None:
    """group() puts tables together one after the other: what goes by the order of rows comes before it, or
    after a sort()."""
    steps = [step.partition("(")[0] for step in query.split("|> ")]
    between = steps[steps.index("group"):]
    for number, step in enumerate(between):
        assert step not in ("last", "difference", "derivative") or "sort" in between[:number], query


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_of_one_language(name: str) -> None:
    chinese = re.compile("[\u4e00-\u9fff]")
    made = board(name)
    said = [made["title"], *(variable["label"] for variable in made["templating"]["list"]),
            *(panel["title"] for panel in made["panels"])]
    assert all(bool(chinese.search(text)) == name.endswith(".zh.json") for text in said)
    assert not chinese.search("".join(panel["description"] for panel in made["panels"]))


@pytest.mark.parametrize("name", [name for name in BOARDS if name.startswith("influxdb/")])
def test_what_is_shown_as_now_is_not_of_hours_ago(name: str) -> None:
    for panel in board(name)["panels"]:
        (target,) = panel["targets"]
        assert ("range(start: date.sub(d: 10m, from: v.timeRangeStop)" in target["query"]) == (
            panel["type"] != "timeseries")


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_names_what_the_code_writes(name: str) -> None:
    asked = list(targets(name))
    assert asked
    for target in asked:
        query = target.get("expr") or target["query"]
        (found,) = measures_of(query)
        measure = NAMED[found]
        if "expr" not in target:
            ((measurement, field),) = FLUX_OF.findall(query)
            assert (measurement, field) in WRITTEN
            (columns,) = re.findall(r"group\(columns: (\[.*\])\)", query)
            assert json.loads(columns) == ["box", *measure.labels]
            in_order_of_time(query)
        else:
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) == {"box", *measure.labels}
        counts = any(word in query for word in ("increase(", "rate(", "difference(", "derivative("))
        assert counts == (measure.kind == "counter")


@pytest.mark.parametrize("path", [RULES, FOLDER / "influxdb/alerting.yml"], ids=lambda path: path.name)
def test_every_rule_names_what_the_code_writes(path: Path) -> None:
    (group,) = yaml.safe_load(path.read_text())["groups"]
    assert len(group["rules"]) == len(ALARMS)
    for rule, alarm in zip(group["rules"], ALARMS, strict=True):
        queries = [rule["expr"]] if "expr" in rule else [
            step["model"]["query"] for step in rule["data"] if "query" in step["model"]]
        also = {alarm.while_at_least[0]} if alarm.while_at_least else set()
        assert {name for query in queries for name in measures_of(query)} == {alarm.measure} | also
        measure = NAMED[alarm.measure]
        assert all(NAMED[name].labels == measure.labels for name in also)
        assert {label for label, _ in alarm.only} <= set(measure.labels)
        assert (alarm.how == "grew") == (measure.kind == "counter")
        for query in queries if "expr" not in rule else ():
            (columns,) = re.findall(r"keep\(columns: (\[.*\])\)$", query)
            labels = ["box"] if alarm.how == "silent" else ["box", *measure.labels]
            assert json.loads(columns) == ["_time", "_value", *labels]
            in_order_of_time(query)
        assert rule["labels"] == {"severity": alarm.severity}
        said = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert said <= {"box", *measure.labels}
        assert rule["annotations"]["summary_zh"].endswith(alarm.zh)


def test_grafanas_own_types_read_the_rules() -> None:
    (group,) = yaml.safe_load((FOLDER / "influxdb/alerting.yml").read_text())["groups"]
    for rule in group["rules"]:
        whole = {"folderUID": "", "orgID": 1, "ruleGroup": group["name"], **rule}
        read = json.loads(json.dumps(Rule.from_json(whole), cls=JSONEncoder))
        assert {key: read[key] for key in whole} == whole
        steps = [step["refId"] for step in rule["data"]]
        assert rule["condition"] == steps[-1] == "C" and len(rule["uid"]) <= 40
        assert len(set(steps)) == len(steps) and steps == [step["model"]["refId"] for step in rule["data"]]
        for step in rule["data"]:                 # each goes by what comes before it
            expression = step["model"].get("expression", "")
            asked = set(re.findall(r"\$([A-Z])", expression)) or {expression} - {""}
            assert asked <= set(steps[:steps.index(step["refId"])])


def test_promtool_takes_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", str(RULES)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALARMS)} rules found" in done.stdout


def _series(alarm: Alarm, raises: bool, enough: bool = True) -> list[dict[str, str]]:
    """70 minutes in steps of 30 s that raise it, or do not quite; the box falls silent or does not."""
    labels = ", ".join(f'{key}="{value}"' for key, value in (
        ("box", "b1"), *((label, dict(alarm.only).get(label, "x")) for label in NAMED[alarm.measure].labels)))
    step = {"is": 1e-6 * max(1.0, abs(alarm.limit)), "grew": 0.0, "silent": 0.0}[alarm.how]
    match alarm.how:
        case "silent":
            values = "0x119 _x20" if raises else "0x140"
        case "grew":
            values = f"0+{alarm.limit + 1 if raises else 0:g}x140"
        case "is":
            value = alarm.limit + (step if alarm.above == raises else -step)
            values = f"{value!r}x140"
    series = [{"series": f"{alarm.measure}{{{labels}}}", "values": values}]
    if alarm.while_at_least is not None:
        other, least = alarm.while_at_least
        series.append({"series": f"{other}{{{labels}}}", "values": f"{least if enough else least - 1}x140"})
    return series


def test_promtool_finds_that_each_rule_is_raised_when_it_should_and_not_before(tmp_path: Path) -> None:
    tests = []
    for alarm in ALARMS:
        for raises, enough in ((True, True), (False, True), (True, alarm.while_at_least is None)):
            labels = {"severity": alarm.severity, "box": "b1", "alertname": f"Branchline{alarm.name}"}
            if alarm.how != "silent":
                labels |= {label: dict(alarm.only).get(label, "x") for label in NAMED[alarm.measure].labels}
            about = " ".join(labels[label] for label in (
                ("box",) if alarm.how == "silent" else ("box", *NAMED[alarm.measure].labels)))
            raised = [{"exp_labels": {key: value for key, value in labels.items() if key != "alertname"},
                       "exp_annotations": {"summary": f"{about}: {alarm.en}",
                                           "summary_zh": f"{about}:{alarm.zh}"}}]
            tests.append({
                "interval": "30s", "input_series": _series(alarm, raises, enough),
                "alert_rule_test": [{"eval_time": "70m", "alertname": f"Branchline{alarm.name}",
                                     "exp_alerts": raised if raises and enough else []}]})
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "5m", "tests": tests},
                                   allow_unicode=True))
    done = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_every_query_of_the_dashboards_finds_data_of_a_box_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with victoria() as server:
        write = client.writer(Server(server.url, "o", "b", ""))
        turns = 20
        write(b"".join(member(sample(MEASURES, a_box(turn=turn)), {"box": "b1"}, int((AT + 30 * turn) * 1e9),
                              client.point()) for turn in range(turns)))
        server.query("/internal/force_flush")
        queries = {target["expr"] for name in BOARDS if name.startswith("prometheus/")
                   for target in targets(name)}
        queries |= {rule["expr"].partition(" > ")[0].partition(" < ")[0].partition(" unless ")[0]
                    for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]}
        for query in sorted(queries):
            answer = json.loads(server.query(
                "/api/v1/query", time=str(AT + 30 * turns),
                query=query.replace("$__rate_interval", "5m").replace("$box", ".*")))
            assert answer["data"]["result"], query
