"""Who signs bundles: the builder's key, or a test's, which says so in every image that trusts it."""

from dataclasses import dataclass
from pathlib import Path

from images.tools import BuildError, run


@dataclass(frozen=True, slots=True)
class Signer:
    key: str                                      # a file, or a PKCS#11 URL that openssl knows
    cert: Path
    keyring: Path                                 # what boxes trust
    test: bool


def given(key: str | None, cert: Path | None, keyring: Path | None) -> Signer | None:
    """None when none of the three is given. BuildError: some are, or one is not there."""
    if key is None and cert is None and keyring is None:
        return None
    if key is None or cert is None or keyring is None:
        raise BuildError("--key, --cert and --keyring go together")
    for path in (cert, keyring, *([] if key.startswith("pkcs11:") else [Path(key)])):
        if not path.is_file():
            raise BuildError(f"{path}: there is no such file")
    return Signer(key, cert, keyring, test=False)


def test(folder: Path) -> Signer:
    """One of the build alone, kept below `folder`."""
    ca_key, ca, key, cert = (folder / name for name in ("ca.key", "ca.pem", "signer.key", "signer.pem"))
    if not cert.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for path in (ca_key, key):
            run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-out", path])
            path.chmod(0o600)
        run(["openssl", "req", "-x509", "-new", "-key", ca_key, "-days", "3650", "-out", ca,
             "-subj", "/O=Branchline test, not for products/CN=test authority"])
        request = run(["openssl", "req", "-new", "-key", key, "-subj",
                       "/O=Branchline test, not for products/CN=test signer"])
        run(["openssl", "x509", "-req", "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "3650",
             "-out", cert], given=request)
    return Signer(str(key), cert, ca, test=True)
