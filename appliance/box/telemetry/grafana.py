"""Dashboards and alert rules from their tables; `python -m appliance.box.telemetry.grafana` writes them.

Ref: Grafana's dashboard JSON model and its file provisioning of alert rules; InfluxDB's Flux; PromQL.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from appliance.box.telemetry.alarms import ALARMS, Alarm
from appliance.box.telemetry.measure import PREFIX, Measure
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.panels import BOARDS, Board, Panel

FOLDER = Path(__file__).with_name("dashboards")
BUCKET, SOURCE_UID = "branchline", "branchline-influxdb"             # of Flux in rules, unless told otherwise
LANGUAGES = ("en", "zh")
FLUX, PROMQL = "influxdb", "prometheus"           # kinds of Grafana's data sources
WIDTH, HEIGHT = 24, 8                             # of Grafana's grid; of a panel
STALE = "10m"                                     # older points are not now
REMEMBERED = "7d"                                 # for so long a box that is silent is missed

_NAMED = {measure.name: measure for measure in MEASURES}
_UNITS = {"seconds": "s", "bytes": "bytes", "celsius": "celsius", "volts": "volt", "rpm": "rotrpm",
          "decibels": "dB", "ratio": "percentunit", "bool": "bool_on_off", "": "short"}
_RATES = {"seconds": "percentunit", "bytes": "Bps"}                  # seconds of a core a second: its share
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def files(bucket: str = BUCKET, source_uid: str = SOURCE_UID) -> Iterator[tuple[str, str]]:
    """All that is shipped: name and text. Rules in Flux ask that bucket of that data source of Grafana's."""
    for kind in (FLUX, PROMQL):
        for board in BOARDS:
            for language in LANGUAGES:
                made = json.dumps(dashboard(board, kind, language), ensure_ascii=False, indent=1)
                yield f"{kind}/{board.name}.{language}.json", made + "\n"
    yield f"{PROMQL}/rules.yml", _yaml(prometheus_rules())
    yield f"{FLUX}/alerting.yml", _yaml(grafana_rules(bucket, source_uid))


def dashboard(board: Board, kind: str, language: str) -> dict[str, Any]:
    panels, x, y = [], 0, 0
    for number, panel in enumerate(board.panels, 1):
        width = WIDTH if panel.wide else WIDTH // 2
        if x + width > WIDTH:
            x, y = 0, y + HEIGHT
        panels.append(_panel(panel, number, {"x": x, "y": y, "w": width, "h": HEIGHT}, kind, language))
        x += width
    return {
        "uid": f"branchline-{board.name}-{kind}-{language}", "title": getattr(board, language),
        "tags": ["branchline"], "timezone": "browser", "schemaVersion": 39, "editable": True,
        "graphTooltip": 1, "time": {"from": "now-6h", "to": "now"}, "refresh": "1m", "panels": panels,
        "templating": {"list": _variables(kind, language)}}


def _panel(panel: Panel, number: int, place: dict[str, int], kind: str, language: str) -> dict[str, Any]:
    measure = _NAMED[PREFIX + panel.measure]
    unit = _RATES[measure.unit] if panel.shows == "rate" else _UNITS[measure.unit]
    return {
        "id": number, "type": panel.form, "title": getattr(measure, language), "gridPos": place,
        "description": f"`{measure.name}`",
        "datasource": {"type": kind, "uid": "${source}"},
        "targets": [_target(panel, measure, kind)],
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "options": {}}


def _target(panel: Panel, measure: Measure, kind: str) -> dict[str, Any]:
    source = {"type": kind, "uid": "${source}"}
    if kind == FLUX:
        return {"refId": "A", "datasource": source, "query": flux(panel, measure)}
    legend = " ".join(f"{{{{{label}}}}}" for label in ("box", *measure.labels))
    now = panel.form != "timeseries"
    return {"refId": "A", "datasource": source, "expr": promql(panel, measure), "legendFormat": legend,
            "instant": now, "range": not now, **({"format": "table"} if panel.form == "table" else {})}


def flux(panel: Panel, measure: Measure) -> str:
    """Steps that need the order of time come before group(), which keeps none, or after a sort()."""
    columns = json.dumps(["box", *measure.labels])
    now = panel.form != "timeseries"
    window = "aggregateWindow(every: v.windowPeriod, fn: {}, createEmpty: false)"
    together, in_order = f"group(columns: {columns})", 'sort(columns: ["_time"])'
    steps = ["last()", together, in_order, "last()"] if now else {
        "as-is": [window.format("last"), together, in_order],
        "grew": ["difference(nonNegative: true)", together, window.format("sum")],
        "rate": ["derivative(unit: 1s, nonNegative: true)", together, window.format("mean")]}[panel.shows]
    if panel.form == "table":
        steps += ["group()", f"keep(columns: {json.dumps(['box', *measure.labels, '_value'])})"]
    start = f"date.sub(d: {STALE}, from: v.timeRangeStop)" if now else "v.timeRangeStart"
    return ('import "date"\n' if now else "") + "\n  |> ".join((
        "from(bucket: v.defaultBucket)", f"range(start: {start}, stop: v.timeRangeStop)",
        f"filter(fn: (r) => {_is(measure)})", "filter(fn: (r) => r.box =~ /^${box:regex}$/)", *steps))


def _is(measure: Measure) -> str:
    return f'r._measurement == "{measure.measurement}" and r._field == "{measure.field}"'


def promql(panel: Panel, measure: Measure) -> str:
    series = f'{measure.name}{{box=~"$box"}}'
    return {"as-is": series, "grew": f"increase({series}[$__rate_interval])",
            "rate": f"rate({series}[$__rate_interval])"}[panel.shows]


def _variables(kind: str, language: str) -> list[dict[str, Any]]:
    named = {"en": ("Data source", "Box"), "zh": ("数据源", "设备")}[language]
    if kind == FLUX:
        query: Any = ('import "influxdata/influxdb/schema"\n'
                      'schema.tagValues(bucket: v.defaultBucket, tag: "box")')
    else:
        query = {"query": f"label_values({PREFIX}box_fitness, box)", "refId": "boxes"}
    return [
        {"name": "source", "type": "datasource", "query": kind, "label": named[0]},
        {"name": "box", "type": "query", "label": named[1], "datasource": {"type": kind, "uid": "${source}"},
         "query": query, "includeAll": True, "multi": True, "refresh": 2, "sort": 1,
         "current": {"text": ["All"], "value": ["$__all"]}}]


def prometheus_rules() -> dict[str, Any]:
    """Ref: Prometheus, "Alerting rules"."""
    return {"groups": [{"name": "branchline", "interval": "30s", "rules": [{
        "alert": f"Branchline{alarm.name}", "expr": _promql_of(alarm), "for": alarm.hold,
        "labels": {"severity": alarm.severity},
        "annotations": _said(alarm),
    } for alarm in ALARMS]}]}


def _promql_of(alarm: Alarm) -> str:
    only = ", ".join(f'{label}="{value}"' for label, value in alarm.only)
    series = alarm.measure + (f"{{{only}}}" if only else "")
    sign = ">" if alarm.above else "<"
    match alarm.how:
        case "is":
            also = f" and {alarm.while_at_least[0]} >= {_number(alarm.while_at_least[1])}" if (
                alarm.while_at_least) else ""
            return f"{series} {sign} {_number(alarm.limit)}{also}"
        case "grew":
            return f"increase({series}[{alarm.over}]) {sign} {_number(alarm.limit)}"
        case "silent":                            # Prometheus takes what is older than 5 minutes for gone
            return (f"max by (box) (last_over_time({series}[{REMEMBERED}])) unless "
                    f"max by (box) (last_over_time({series}[{_number(alarm.limit)}s]))")


def _number(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def _said(alarm: Alarm) -> dict[str, str]:
    labels = ("box",) if alarm.how == "silent" else ("box", *_NAMED[alarm.measure].labels)
    about = " ".join(f"{{{{ $labels.{label} }}}}" for label in labels)
    return {"summary": f"{about}: {alarm.en}", "summary_zh": f"{about}:{alarm.zh}"}


def grafana_rules(bucket: str, source_uid: str) -> dict[str, Any]:
    """Ref: Grafana, "Use configuration files to provision alerting resources"."""
    return {"apiVersion": 1, "groups": [{
        "orgId": 1, "name": "branchline", "folder": "Branchline", "interval": "1m", "rules": [{
            "uid": f"branchline-{alarm.name.lower()}", "title": f"Branchline{alarm.name}", "condition": "C",
            "data": _steps(alarm, bucket, source_uid), "noDataState": "OK", "execErrState": "Error",
            "for": alarm.hold, "isPaused": False, "labels": {"severity": alarm.severity},
            "annotations": _said(alarm),
        } for alarm in ALARMS]}]}


def _steps(alarm: Alarm, bucket: str, source_uid: str) -> list[dict[str, Any]]:
    """What is asked, the newest of each series, and the limit: Grafana compares series of the same labels."""
    window = {"is": STALE, "grew": alarm.over, "silent": REMEMBERED}[alarm.how]
    since = {"from": int(window[:-1]) * _SECONDS[window[-1]], "to": 0}
    expression = {"datasource": {"type": "__expr__", "uid": "__expr__"}}
    measure = _NAMED[alarm.measure]
    also = [("D", "E", _NAMED[alarm.while_at_least[0]])] if alarm.while_at_least else []
    models: list[tuple[str, dict[str, Any]]] = []
    for asked, newest, one in (("A", "B", measure), *also):
        models += [(source_uid, {"refId": asked, "query": _flux_of(alarm, one, window, bucket)}),
                   ("__expr__", {"refId": newest, "type": "reduce", "expression": asked, "reducer": "last",
                                 **expression})]
    if alarm.while_at_least:
        sign = ">" if alarm.above else "<"
        models.append(("__expr__", {
            "refId": "C", "type": "math", **expression, "expression":
            f"$B {sign} {_number(alarm.limit)} && $E >= {_number(alarm.while_at_least[1])}"}))
    else:
        evaluator = {"type": "gt" if alarm.above else "lt", "params": [alarm.limit]}
        models.append(("__expr__", {
            "refId": "C", "type": "threshold", "expression": "B", **expression,
            "conditions": [{"type": "query", "evaluator": evaluator}]}))
    return [{"refId": model["refId"], "datasourceUid": uid, "relativeTimeRange": since, "model": model}
            for uid, model in models]


def _flux_of(alarm: Alarm, measure: Measure, window: str, bucket: str) -> str:
    """Rows with their time: of several tables without it Grafana's alerting takes none."""
    labels = ["box"] if alarm.how == "silent" else ["box", *measure.labels]
    only = "".join(f' and r.{label} == "{value}"' for label, value in alarm.only)
    together, newest = f"group(columns: {json.dumps(labels)})", ['sort(columns: ["_time"])', "last()"]
    steps = {
        "is": ["last()", together, *newest],
        "grew": ["difference(nonNegative: true)", together, "sum()",
                 "map(fn: (r) => ({r with _time: now()}))"],
        "silent": ["last()", together, *newest, "map(fn: (r) => ({r with _value: "
                   "float(v: int(v: now()) - int(v: r._time)) / 1000000000.0}))"]}[alarm.how]
    return "\n  |> ".join((
        f"from(bucket: {json.dumps(bucket, ensure_ascii=False)})", f"range(start: -{window})",
        f"filter(fn: (r) => {_is(measure)}{only})", *steps,
        f"keep(columns: {json.dumps(['_time', '_value', *labels])})"))


class _Text(yaml.SafeDumper):
    """Texts of several lines as such, and nothing by a reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Text.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))


def _yaml(made: dict[str, Any]) -> str:
    return yaml.dump(made, Dumper=_Text, allow_unicode=True, sort_keys=False, width=120)


def write(folder: Path, bucket: str = BUCKET, source_uid: str = SOURCE_UID) -> list[Path]:
    """All files below `folder`. OSError."""
    written = []
    for name, text in files(bucket, source_uid):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    write(FOLDER)
