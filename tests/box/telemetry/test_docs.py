"""docs/telemetry.md lists what the code writes, and names files that are there."""

import re

from appliance.box.telemetry.grafana import BUCKET, SOURCE_UID, files
from appliance.box.telemetry.words import table
from appliance.config.telemetry import TelemetryConfig
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "telemetry.md").read_text()


def test_the_table_is_the_codes() -> None:
    """Else: python -m appliance.box.telemetry.words."""
    assert PAGE.endswith("\n".join(table()) + "\n")
    assert len(re.findall(r"^\| branchline_", PAGE, re.M)) == len(list(table())) - 2


def test_what_else_it_names_is_so() -> None:
    for name in re.findall(r"`((?:influxdb|prometheus)/[a-z.]+\.yml)`", PAGE):
        assert name in dict(files())
    assert f"bucket `{BUCKET}`" in PAGE and f"uid `{SOURCE_UID}`" in PAGE
    for key in re.findall(r"`(?:telemetry\.)?((?:spool|interval|token|ca)_\w+)`", PAGE):
        assert key in TelemetryConfig.model_fields
    assert f"({TelemetryConfig().interval_s:g} s)" in PAGE
