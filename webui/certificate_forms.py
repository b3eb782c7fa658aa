"""What authorities hand out, made PEM: DER, PKCS#7 (.p7b), PKCS#12 (.pfx, .p12), keys with a password. Pure.

Nothing is checked here but that it can be read; webui.certificate decides whether it can serve.
"""

import re
import warnings
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7, pkcs12

from webui.certificate import Key, WrongCertificate, pem_of

_PEM = b"-----BEGIN "
_PKCS7 = b"-----BEGIN PKCS7-----"
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\s*", re.DOTALL)
_PFX = re.compile(rb"\x30(?:[\x00-\x80]|\x81.|\x82..)\x02\x01\x03", re.DOTALL)        # RFC 7292, 4: version 3


def as_pem(octets: bytes, password: str) -> bytes:
    """A file as PEM; what is PEM already stays, but for keys that the password opens.

    WrongCertificate: it cannot be read, or the password does not open it.
    """
    if _PEM in octets:
        return _unlocked(octets, password)
    if _PFX.match(octets):
        return _of_pkcs12(octets, password)
    for read in _READERS:
        try:
            return read(octets)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    return octets


def _unlocked(octets: bytes, password: str) -> bytes:
    if _PKCS7 in octets:
        try:
            return _of_pkcs7(pkcs7.load_pem_pkcs7_certificates, octets)
        except (ValueError, UnsupportedAlgorithm):
            raise WrongCertificate("none") from None
    if not (found := _KEY.search(octets)) or not password:
        return octets
    try:
        key = serialization.load_pem_private_key(found.group(), password.encode())
    except TypeError:                             # it has no password
        return octets
    except (ValueError, UnsupportedAlgorithm):
        raise WrongCertificate("locked") from None
    return _KEY.sub(b"", octets) + b"\n" + _of_key(key)


def _of_pkcs7(read: Callable[[bytes], list[x509.Certificate]], octets: bytes) -> bytes:
    with warnings.catch_warnings():               # that a chain is not in DER's order of a set: few are
        warnings.simplefilter("ignore", UserWarning)
        return _chain(read(octets))


def _of_pkcs12(octets: bytes, password: str) -> bytes:
    """Made with "" as the password some have none, others an empty one."""
    for words in ([password.encode()] if password else [None, b""]):
        try:
            found = pkcs12.load_pkcs12(octets, words)
        except UnsupportedAlgorithm:
            raise WrongCertificate("weak") from None
        except ValueError:
            continue
        certificates = [one.certificate for one in (found.cert, *found.additional_certs) if one is not None]
        return _chain(certificates) + (_of_key(found.key) if found.key is not None else b"")
    raise WrongCertificate("locked")


def _of_key(key: object) -> bytes:
    if not isinstance(key, Key):
        raise WrongCertificate("no key")
    return pem_of(key)


def _chain(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


_READERS: Sequence[Callable[[bytes], bytes]] = (
    lambda octets: _chain([x509.load_der_x509_certificate(octets)]),
    lambda octets: _of_pkcs7(pkcs7.load_der_pkcs7_certificates, octets),
    lambda octets: _of_key(serialization.load_der_private_key(octets, None)))
