"""The table of all measures: InfluxDB is written, Prometheus reads, docs/telemetry.md lists what is here."""

from appliance.box.telemetry import rows_box, rows_centre, rows_line
from appliance.box.telemetry.measure import Measure

MEASURES: tuple[Measure, ...] = (*rows_line.ROWS, *rows_centre.ROWS, *rows_box.ROWS)
