"""The box's certificate: made, renewed, replaced; what is put in and what is refused."""

import ssl
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from webui.certificate import (
    BEGINS,
    LASTS,
    MOST_OCTETS,
    Certificates,
    WrongCertificate,
    names_of_box,
    wanted,
)

EVERYBODY = str(IPv4Address(0))
NOW = 1_800_000_000.0
YEAR_S = 365 * 86400.0
NAMES = ("box-7", "localhost", "127.0.0.1")


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    certificates = Certificates(tmp_path / "tls", NAMES)
    certificates.ready(NOW)
    return certificates


def openssl(folder: Path, *command: str, said: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *command], cwd=folder, input=said, capture_output=True, check=True)
    return done.stdout


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A folder with the branch's own authority: OpenSSL's."""
    folder = tmp_path / "ca"
    folder.mkdir()
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "3650", "-subj", "/CN=Branch CA", "-keyout", "ca.key", "-out", "ca.pem")
    return folder


def signed(authority: Path, request: bytes, days: int = 365) -> bytes:
    (authority / "box.csr").write_bytes(request)
    openssl(authority, "x509", "-req", "-in", "box.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-days", str(days), "-copy_extensions", "copy", "-out", "box.pem")
    return (authority / "box.pem").read_bytes() + (authority / "ca.pem").read_bytes()


def test_the_first_one_is_the_boxs_own_and_lasts(certificates: Certificates) -> None:
    shown = certificates.shown()
    assert (shown.own, shown.names, shown.subject) == (True, NAMES, "CN=box-7")
    assert shown.since == BEGINS.timestamp() and shown.until == NOW + LASTS.total_seconds()
    assert certificates.path.stat().st_mode & 0o777 == 0o600
    text = openssl(
        certificates.path.parent, "x509", "-in", "box.pem", "-noout", "-fingerprint", "-sha256", "-text")
    assert shown.sha256.encode() in text and b"DNS:box-7" in text and b"IP Address:127.0.0.1" in text
    assert certificates.ready(NOW + YEAR_S) == shown
    assert not shown.soon(NOW) and shown.soon(shown.until - 86400.0)


def test_a_clock_that_was_never_set_makes_one_that_holds(tmp_path: Path) -> None:
    shown = Certificates(tmp_path / "tls", NAMES).ready(0.0)
    assert shown.until > BEGINS.timestamp() + 9 * YEAR_S


def test_its_own_is_made_anew_before_it_ends(certificates: Certificates) -> None:
    shown = certificates.shown()
    again = certificates.ready(shown.until - 86400.0)
    assert again.sha256 != shown.sha256 and again.until > shown.until


@pytest.mark.parametrize("octets", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_damaged_one_is_made_anew(certificates: Certificates, octets: bytes) -> None:
    certificates.path.write_bytes(octets)
    assert certificates.ready(NOW).own
    certificates.context()


def test_a_request_that_the_branch_signs_is_put_in(certificates: Certificates, authority: Path) -> None:
    request = certificates.request()
    served: list[ssl.SSLContext] = []
    certificates.serve = served.append
    put = certificates.put_in(signed(authority, request), NOW)
    assert (put.own, put.issuer, put.names) == (False, "CN=Branch CA", NAMES)
    assert certificates.ready(put.until + YEAR_S) == put             # not the box's to renew
    assert certificates.own(NOW).own and len(served) == 2


def test_its_own_may_come_behind_the_authoritys(certificates: Certificates, authority: Path) -> None:
    own = signed(authority, certificates.request()).removesuffix((authority / "ca.pem").read_bytes())
    put = certificates.put_in((authority / "ca.pem").read_bytes() + own, NOW)
    assert (put.issuer, put.names) == ("CN=Branch CA", NAMES)
    assert certificates.path.read_bytes().endswith((authority / "ca.pem").read_bytes())
    certificates.context()


def test_a_pair_made_elsewhere_is_put_in(certificates: Certificates, authority: Path) -> None:
    openssl(authority, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pages",
            "-keyout", "own.key", "-out", "own.csr")
    chain = signed(authority, (authority / "own.csr").read_bytes())
    assert certificates.put_in((authority / "own.key").read_bytes() + chain, NOW).subject == "CN=pages"
    assert certificates.context().get_ciphers()


def refused(certificates: Certificates, octets: bytes, now: float = NOW) -> str:
    before = certificates.path.read_bytes()
    with pytest.raises(WrongCertificate) as error:
        certificates.put_in(octets, now)
    assert certificates.path.read_bytes() == before
    assert [file.name for file in certificates.path.parent.iterdir()] == ["box.pem"]
    return error.value.words


def test_what_cannot_serve_is_refused_and_changes_nothing(
        certificates: Certificates, authority: Path) -> None:
    good = signed(authority, certificates.request())
    assert refused(certificates, b"") == "none"
    assert refused(certificates, b"x" * (MOST_OCTETS + 1)) == "large"
    assert refused(certificates, good, NOW + 20 * YEAR_S) == "over"
    assert refused(certificates, (authority / "ca.pem").read_bytes()) == "another key"
    openssl(authority, "req", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=w",
            "-keyout", "weak.key", "-out", "weak.csr")
    weak = signed(authority, (authority / "weak.csr").read_bytes())
    assert refused(certificates, (authority / "weak.key").read_bytes() + weak) == "weak"
    openssl(authority, "ec", "-in", "ca.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key")
    assert refused(certificates, (authority / "locked.key").read_bytes() + good) == "locked"
    nothing = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    assert refused(certificates, nothing + good) == "no key"


def test_openssl_is_content_with_what_serves(certificates: Certificates) -> None:
    assert certificates.context().minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(("tls", "host", "secured"), [
    ("auto", "127.0.0.1", False), ("auto", "::1", False), ("auto", "localhost", False),
    ("auto", EVERYBODY, True), ("auto", "box.branch", True), ("off", EVERYBODY, False),
    ("on", "127.0.0.1", True)])
def test_who_comes_from_elsewhere_comes_by_tls(tls: str, host: str, secured: bool) -> None:
    assert wanted(tls, host) is secured


def test_the_names_are_those_that_browsers_use() -> None:
    assert names_of_box(EVERYBODY)[-3:] == ("localhost", "127.0.0.1", "::1")
    assert names_of_box("192.0.2.7")[-1] == "192.0.2.7"
