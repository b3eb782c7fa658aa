"""branchline grafana as a person types it."""

import subprocess
import sys
from pathlib import Path

import yaml

from appliance.box.telemetry.grafana import files


def _grafana(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = Path(sys.executable).with_name("branchline")
    return subprocess.run([command, "grafana", *arguments], capture_output=True, text=True)


def test_it_writes_all_files_and_says_which(tmp_path: Path) -> None:
    done = _grafana(str(tmp_path / "new"))
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.relative_to(tmp_path / "new").as_posix(): path.read_text()
            for path in map(Path, done.stdout.splitlines())} == dict(files())


def test_rules_ask_the_bucket_and_the_source_that_are_named(tmp_path: Path) -> None:
    assert _grafana(str(tmp_path), "--bucket", 'noc "1"', "--source", "abc").returncode == 0
    (group,) = yaml.safe_load((tmp_path / "influxdb/alerting.yml").read_text())["groups"]
    for rule in group["rules"]:
        assert rule["data"][0]["datasourceUid"] == "abc"
        assert rule["data"][0]["model"]["query"].startswith('from(bucket: "noc \\"1\\"")\n')


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "influxdb").write_text("a file")
    done = _grafana(str(tmp_path))
    assert done.returncode == 1 and "influxdb: " in done.stderr and "Traceback" not in done.stderr
