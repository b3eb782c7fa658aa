"""What authorities hand out, as OpenSSL writes it: each form is put in and serves."""

from pathlib import Path

import pytest

from tests.webui.test_certificate import NAMES, NOW, openssl, signed
from webui.certificate import Certificates, WrongCertificate
from webui.certificate_forms import as_pem

PASSWORD = "of the file"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with box.pem, the chain ca.pem, and box.key, of an authority that made the key itself."""
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
            "-subj", "/CN=Branch CA", "-keyout", "ca.key", "-out", "ca.pem")
    request = openssl(tmp_path, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pages.example",
                      "-keyout", "box.key")
    signed(tmp_path, request)
    openssl(tmp_path, "pkcs12", "-export", "-in", "box.pem", "-inkey", "box.key", "-certfile", "ca.pem",
            "-passout", f"pass:{PASSWORD}", "-out", "locked.pfx")
    openssl(tmp_path, "pkcs12", "-export", "-in", "box.pem", "-inkey", "box.key", "-passout", "pass:",
            "-out", "open.pfx")
    openssl(tmp_path, "pkcs8", "-topk8", "-in", "box.key", "-passout", f"pass:{PASSWORD}",
            "-out", "locked.key")
    openssl(tmp_path, "x509", "-in", "box.pem", "-outform", "der", "-out", "box.der")
    openssl(tmp_path, "pkcs8", "-topk8", "-nocrypt", "-in", "box.key", "-outform", "der", "-out", "key.der")
    for form in ("der", "pem"):
        openssl(tmp_path, "crl2pkcs7", "-nocrl", "-certfile", "ca.pem", "-certfile", "box.pem",
                "-outform", form, "-out", f"{form}.p7b")
    return tmp_path


FORMS = {                                         # files -> password
    ("locked.pfx",): PASSWORD, ("open.pfx",): "", ("locked.key", "box.pem"): PASSWORD,
    ("box.der", "key.der"): "", ("der.p7b", "box.key"): "", ("pem.p7b", "locked.key"): PASSWORD,
    ("box.key", "box.pem"): "that nobody asked for"}


@pytest.mark.parametrize("files", FORMS, ids=" ".join)
def test_each_form_serves(made: Path, tmp_path: Path, files: tuple[str, ...]) -> None:
    certificates = Certificates(tmp_path / "tls", NAMES)
    certificates.ready(NOW)
    put = certificates.put_in(
        b"\n".join(as_pem((made / name).read_bytes(), FORMS[files]) for name in files), NOW)
    assert (put.subject, put.issuer, put.own) == ("CN=pages.example", "CN=Branch CA", False)
    held = certificates.path.read_bytes()
    assert b"ENCRYPTED" not in held
    assert held.count(b"BEGIN CERTIFICATE") == (2 if "p7b" in files[0] or files[0] == "locked.pfx" else 1)
    certificates.context()


@pytest.mark.parametrize(("name", "password", "said"), [
    ("locked.pfx", "", "locked"), ("locked.pfx", "another", "locked"), ("locked.key", "another", "locked")])
def test_a_wrong_password_is_said(made: Path, name: str, password: str, said: str) -> None:
    with pytest.raises(WrongCertificate) as error:
        as_pem((made / name).read_bytes(), password)
    assert error.value.words == said


def test_what_is_none_of_them_is_left_as_it_is(made: Path) -> None:
    pfx = (made / "locked.pfx").read_bytes()
    for octets in (b"", b"\x30", b"box", pfx[:40]):
        try:
            assert as_pem(octets, PASSWORD) == octets
        except WrongCertificate as error:
            assert error.words == "locked" and octets == pfx[:40]
