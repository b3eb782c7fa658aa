"""The library's writes: what of it is loaded, what answers come to, TLS, and no secret in any word."""

import gzip
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box.telemetry import client
from appliance.box.telemetry.client import Refused, Server, Write, WriteError, writer
from images.packages.venv import _KEPT, _UNUSED
from tests.box.telemetry.answering import Answering, serve

MEMBER = gzip.compress(b"m,box=b f=1 1\n")
TOKEN = "s3cret-token"
LOADED = """
import sys, resource
from pathlib import Path
import asyncio, ssl, http.client, urllib3
def rss(): return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
from appliance.box.telemetry import client
before = rss()
client.point()
write = client.writer(client.Server("http://127.0.0.1:1", "o", "b", "t"))
try:
    write(b"")                                    # what is imported only then
except client.WriteError:
    print(rss() - before)
print(*[name for name in sys.modules if name.partition(".")[0] in ("influxdb_client", "reactivex", "numpy")])
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RETRY_S", 0.001)


@pytest.fixture
def answering() -> Iterator[Answering]:
    yield from serve()


def to(answering: Answering, ca_file: str = "", token: str = TOKEN) -> Write:
    return writer(Server(answering.url + "/", "my org", "b&c", token, ca_file))


def test_only_what_a_write_needs_is_loaded_and_the_image_has_just_that() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    grown, modules = done.stdout.splitlines()
    assert int(grown) < 8 << 20                   # the library's own front: 25 MB
    names = set(modules.split())
    assert not any(name.startswith(("reactivex", "numpy")) for name in names)
    assert "reactivex" in _UNUSED
    for folder in ("domain", "service"):
        loaded = {f"{name.rpartition('.')[2]}.py" for name in names
                  if name.startswith(f"influxdb_client.{folder}.")}
        assert loaded and all(re.fullmatch(_KEPT[f"influxdb_client/{folder}"], name) for name in loaded)


def test_what_is_sent_is_a_write_of_the_v2_api(answering: Answering) -> None:
    to(answering)(MEMBER + MEMBER)
    (asked,) = answering.asked
    path, _, query = asked.path.partition("?")
    assert path == "/api/v2/write"
    assert sorted(query.split("&")) == ["bucket=b%26c", "org=my+org", "precision=ns"]
    assert asked.headers["Authorization"] == "Token s3cret-token"
    assert asked.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(asked.body) == b"m,box=b f=1 1\n" * 2


def test_without_a_token_none_is_sent(answering: Answering) -> None:
    to(answering, token="")(MEMBER)
    assert "Authorization" not in answering.asked[0].headers


@pytest.mark.parametrize("status", [400, 413, 422])
def test_points_that_are_never_taken(answering: Answering, status: int) -> None:
    answering.answers = [(status, b'{"code":"invalid","message":"unable to parse \\n points"}')]
    with pytest.raises(Refused, match=f"{status} unable to parse points"):
        to(answering)(MEMBER)
    assert len(answering.asked) == 1


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404])
def test_what_people_have_to_put_right_loses_no_point(answering: Answering, status: int) -> None:
    answering.answers = [(status, b"s" * 5000)]
    with pytest.raises(WriteError) as caught:
        to(answering)(MEMBER)
    assert not isinstance(caught.value, Refused)
    assert str(status) in str(caught.value) and len(str(caught.value)) < 400
    assert "s3cret" not in str(caught.value)
    assert len(answering.asked) == 1              # a redirection is not followed: the token stays here


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_once_more_by_the_library(answering: Answering, status: int) -> None:
    answering.answers = [(status, b"busy")]
    to(answering)(MEMBER)
    assert len(answering.asked) == 2
    answering.answers = [(status, b"busy")] * 2
    with pytest.raises(WriteError) as caught:
        to(answering)(MEMBER)
    assert not isinstance(caught.value, Refused)


def test_a_server_does_not_say_how_long_we_sleep(answering: Answering) -> None:
    answering.answers, answering.again_s = [(429, b"busy")] * 2, 3600
    with pytest.raises(WriteError):
        to(answering)(MEMBER)
    assert len(answering.asked) == 2


def test_an_answer_that_is_no_text_ends_nothing(answering: Answering) -> None:
    answering.answers = [(500, b"\xff\xfe")] * 2 + [(503, b"")] * 2
    for _ in range(2):
        with pytest.raises(WriteError):
            to(answering)(MEMBER)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-keyout", "key.pem", "-out", "ca.pem", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"], check=True, cwd=tmp_path, capture_output=True)
    return tmp_path


def test_the_certificate_has_to_be_good(ca: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca / "ca.pem", ca / "key.pem")
    serving = serve(tls)
    answering = next(serving)
    to(answering, str(ca / "ca.pem"))(MEMBER)
    with pytest.raises(WriteError, match="certificate verify failed"):
        to(answering)(MEMBER)                     # nobody's whom the public knows
    answering.url = answering.url.replace("localhost", "127.0.0.1")
    with pytest.raises(WriteError, match=r"127\.0\.0\.1"):
        to(answering, str(ca / "ca.pem"))(MEMBER)
    assert len(answering.asked) == 1
    assert next(serving, None) is None


def test_an_authority_that_cannot_be_read_is_named(answering: Answering) -> None:
    with pytest.raises(OSError, match=r"none\.pem"):
        to(answering, "/nowhere/none.pem")


def test_nobody_there_is_said_in_a_line_and_by_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(WriteError, match=r"^http://127.0.0.1:1: \[Errno 111\] Connection refused$"):
        writer(Server("http://127.0.0.1:1", "o", "b", "t"))(MEMBER)
    assert not caplog.records                     # the libraries would at every try
