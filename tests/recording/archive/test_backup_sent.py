"""A backup goes to the hub's bucket as it is."""

from pathlib import Path

import pytest

from appliance.config.archive import ArchiveConfig, S3Config
from appliance.errors import BranchlineError, ConfigError
from appliance.launch.backup import _send
from tests.recording.archive.conftest import client_of


def test_the_bucket_has_the_same_octets(s3: S3Config, archive: ArchiveConfig, tmp_path: Path) -> None:
    file = tmp_path / "branchline-box-20261122T183000Z-weekly.backup"
    file.write_bytes(bytes(range(256)) * 50_000)
    told = _send(file, archive.model_copy(update={"s3": s3}))
    name = f"shanghai/backups/{file.name}"
    assert told.endswith(name)
    there = client_of(s3.endpoint).get_object(Bucket=s3.bucket, Key=name)["Body"].read()
    assert there == file.read_bytes()


def test_a_hub_that_is_not_there_is_said(s3: S3Config, archive: ArchiveConfig, tmp_path: Path) -> None:
    file = tmp_path / "a.backup"
    file.write_bytes(bytes(2000))
    with pytest.raises(BranchlineError, match="refuses CreateMultipartUpload: NoSuchBucket"):
        _send(file, archive.model_copy(update={"s3": s3.model_copy(update={"bucket": "none"})}))
    with pytest.raises(ConfigError, match="no s3 and no sftp"):
        _send(file, archive)
