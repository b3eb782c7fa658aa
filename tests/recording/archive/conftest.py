"""Servers that we did not write: moto's S3, OpenSSH's sshd."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from appliance.config.archive import ArchiveConfig, S3Config, SftpConfig
from appliance.recording.archive.key import new_key
from tests.recording.life.shelf import Shelf, shelves

SSHD = "/usr/sbin/sshd"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    yield from shelves(tmp_path)


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveConfig:
    new_key(tmp_path / "archive.key")
    return ArchiveConfig(site="shanghai", key_file=str(tmp_path / "archive.key"), after_s=0.0)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    with _running([sys.executable, "-W", "ignore", "-m", "moto.server",
                   "-H", "127.0.0.1", "-p", "{port}"]) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def s3(s3_endpoint: str, tmp_path: Path, request: pytest.FixtureRequest) -> S3Config:
    """A bucket of the test's own."""
    (tmp_path / "s3.secret").write_text("access\nsecret\n")
    (tmp_path / "s3.secret").chmod(0o600)
    bucket = "b" + request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[-40:].strip("-")
    client_of(s3_endpoint).create_bucket(Bucket=bucket)
    return S3Config(endpoint=s3_endpoint, bucket=bucket, credentials_file=str(tmp_path / "s3.secret"))


def client_of(endpoint: str) -> Any:
    return botocore.session.Session().create_client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="access",
        aws_secret_access_key="secret", config=Config(s3={"addressing_style": "path"}))


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpConfig]:
    """A server for the test's own user, whose key is let in."""
    assert Path(SSHD).exists(), "apt-get install openssh-server"
    home = tmp_path / "ssh"
    home.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / name], check=True)
    shutil.copy(home / "user.pub", home / "authorized")
    (home / "sshd_config").write_text(
        f"HostKey {home}/host\nAuthorizedKeysFile {home}/authorized\nStrictModes no\nPidFile none\n"
        "PasswordAuthentication no\nUsePAM no\nSubsystem sftp internal-sftp\n")
    if os.geteuid() == 0:                         # sshd asks for it of root only
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    with _running([SSHD, "-D", "-e", "-f", str(home / "sshd_config"), "-p", "{port}",
                   "-o", "ListenAddress=127.0.0.1"]) as port:
        kind, key = (home / "host.pub").read_text().split()[:2]
        yield SftpConfig(host="127.0.0.1", port=port, user=getpass.getuser(),
                         key_file=str(home / "user"), host_key=f"{kind} {key}", folder=str(tmp_path / "hub"))


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[int]:
    """The program on a free port, which it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen([part.format(port=port) for part in command],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, f"{command[0]} did not start"
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)
