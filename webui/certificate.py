"""The box's certificate for its pages: its own, made at the first start, until one of the branch's is put in.

One file has key and chain, so that a cut of power leaves a pair that fits. The key of a request for a
certificate (CSR) is the box's; it never leaves.
"""

import hashlib
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import BranchlineError, Unavailable

BEGINS = datetime(2020, 1, 1, tzinfo=UTC)         # a box whose clock was never set is believed, too
LASTS = timedelta(days=3650)
RENEW = timedelta(days=30)                        # before its end the box makes its own anew
SOON = timedelta(days=30)                         # people are warned of the others'
MOST_OCTETS = 48 * 1024                           # of what is put in
RSA_LEAST_BITS = 2048
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"           # of TLS 1.2; those of 1.3 are all good

_FILE = "box.pem"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class WrongCertificate(BranchlineError):
    """What was put in cannot serve; `words` names why, of WORDS["certificate"]."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class Certificate:
    """`names` it is for, times in Unix seconds, `sha256` as browsers print it; `own`: the box signed it."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    since: float
    until: float
    sha256: str
    own: bool

    def soon(self, now: float) -> bool:
        """It is over, or within a month."""
        return now > self.until - SOON.total_seconds()


class Certificates:
    """The pair in a folder of its own. `names`: what the box is called in the network."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._folder, self._names = folder, names
        self.path = folder / _FILE
        self.serve: Callable[[ssl.SSLContext], None] = lambda context: None      # told of each new one

    def ready(self, now: float) -> Certificate:
        """The one there is; made when there is none, it is damaged, or the box's own ends within a month.

        Unavailable: the folder cannot be written.
        """
        try:
            shown = self.shown()
            if not shown.own or now < shown.until - RENEW.total_seconds():
                return shown
        except (OSError, ValueError):             # none, or damaged
            pass
        key = ec.generate_private_key(ec.SECP256R1())
        self._write(pem_of(key) + _self_signed(key, self._names, now).public_bytes(Encoding.PEM))
        return self.shown()

    def shown(self) -> Certificate:
        """OSError, ValueError: there is none that can be read."""
        certificate = x509.load_pem_x509_certificates(self.path.read_bytes())[0]
        return _told(certificate)

    def context(self) -> ssl.SSLContext:
        """For new connections: TLS 1.2 and 1.3."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_ciphers(CIPHERS)
        made.load_cert_chain(self.path)
        return made

    def request(self) -> bytes:
        """A request (PKCS#10, PEM) for the key that serves now."""
        key = _key(self.path.read_bytes())
        builder = x509.CertificateSigningRequestBuilder().subject_name(_name(self._names)).add_extension(
            _alternatives(self._names), critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def put_in(self, octets: bytes, now: float) -> Certificate:
        """A chain, the box's own certificate first, with its key or without when the key is the box's: PEM.

        WrongCertificate: it is none, fits no key, is over or too weak; nothing has changed.
        """
        if len(octets) > MOST_OCTETS:
            raise WrongCertificate("large")
        try:
            chain = x509.load_pem_x509_certificates(octets)
        except ValueError:
            raise WrongCertificate("none") from None
        key = _given_key(octets) or _key(self.path.read_bytes())
        chain.sort(key=lambda one: _public_of(one) != _public(key))  # ours first, whatever came first
        certificate = chain[0]
        if _public(key) != _public_of(certificate):
            raise WrongCertificate("another key")
        if now > certificate.not_valid_after_utc.timestamp():
            raise WrongCertificate("over")
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size < RSA_LEAST_BITS:
            raise WrongCertificate("weak")
        self._try(fresh := pem_of(key) + b"".join(one.public_bytes(Encoding.PEM) for one in chain))
        self._write(fresh)
        self.serve(self.context())
        return _told(certificate)

    def own(self, now: float) -> Certificate:
        """Back to one of the box's own, with a new key."""
        self.path.unlink(missing_ok=True)
        made = self.ready(now)
        self.serve(self.context())
        return made

    def _try(self, octets: bytes) -> None:
        """What OpenSSL does not serve with must not replace what it does."""
        trial = self._folder / "trial.pem"
        try:
            _private(trial, octets)
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(trial)
        except ssl.SSLError:
            raise WrongCertificate("weak") from None
        finally:
            trial.unlink(missing_ok=True)

    def _write(self, octets: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            new = self.path.with_suffix(".new")
            _private(new, octets)
            new.replace(self.path)
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Unavailable(
                f"{self.path}: {error.strerror}: the state folder must be writable for webui") from None


def names_of_box(host: str) -> tuple[str, ...]:
    """What browsers may call it; `host`: the address it listens on."""
    name = socket.gethostname().split(".")[0] or "branchline"
    try:
        own = () if ipaddress.ip_address(host).is_unspecified else (host,)
    except ValueError:
        own = (host,)
    return tuple(dict.fromkeys((name, f"{name}.local", "localhost", "127.0.0.1", "::1", *own)))


def wanted(tls: str, host: str) -> bool:
    """`tls`: web.tls of the configuration. "auto": wherever others than this machine can come."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return tls == "on" or (tls == "auto" and not loopback)


def _private(path: Path, octets: bytes) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _key(octets: bytes) -> Key:
    key = serialization.load_pem_private_key(octets, None)
    if not isinstance(key, Key):
        raise ValueError("the key is neither of an elliptic curve nor RSA")
    return key


def _given_key(octets: bytes) -> Key | None:
    if b"PRIVATE KEY-----" not in octets:
        return None
    try:
        return _key(octets)
    except TypeError:                             # it wants a password
        raise WrongCertificate("locked") from None
    except (ValueError, UnsupportedAlgorithm):
        raise WrongCertificate("no key") from None


def pem_of(key: Key) -> bytes:
    """PKCS#8, without a password."""
    return key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _public(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _name(names: tuple[str, ...]) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])


def _alternatives(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(found)


def _self_signed(key: Key, names: tuple[str, ...], now: float) -> x509.Certificate:
    name, at = _name(names), max(BEGINS, datetime.fromtimestamp(now, UTC))
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(BEGINS).not_valid_after(at + LASTS)
        .add_extension(_alternatives(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256()))


def _told(certificate: x509.Certificate) -> Certificate:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(one.value) for one in named)
    except x509.ExtensionNotFound:
        names = ()
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    return Certificate(
        certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string(), names,
        certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp(),
        ":".join(digest[at:at + 2] for at in range(0, len(digest), 2)),
        certificate.subject == certificate.issuer)
