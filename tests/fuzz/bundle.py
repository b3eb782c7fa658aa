"""Export bundles and sealed files of anybody, as `branchline verify` is given them."""

import hashlib
import io
import json
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.bus.messages import ExportRecordings
from appliance.recording.vault.bundle_check import check
from appliance.recording.vault.keys import fingerprint, pem
from appliance.recording.vault.requests import ANSWERS
from appliance.store.sealed import KeyGone, SealedReader, Tampered
from tests.recording.vault.box import make_box
from tests.recording.vault.test_sealed import OneKey, sealed

MOST_OCTETS = 10_000
SHARE = 0.5
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@cache
def members() -> dict[str, bytes]:
    """Of a good bundle."""
    with TemporaryDirectory() as folder:
        box = make_box(Path(folder) / "recordings")
        made = ANSWERS[ExportRecordings](box.parts, ExportRecordings(
            recordings=[box.record(1, b"talk"), box.record(2, b"more")], by="li", why="dispute"))
        box.parts.database.close()
        with zipfile.ZipFile(made.path) as archive:                  # type: ignore[attr-defined]
            return {name: archive.read(name) for name in archive.namelist()}


def corpus() -> list[bytes]:
    files = members()
    texts = [files[name] for name in ("chain.json", "metadata.json", "manifest.json")]
    return [packed(files), sealed(b"talk"), *texts]


def packed(files: dict[str, bytes]) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        for name, file in files.items():
            archive.writestr(name, file)
    return octets.getvalue()


def signed(files: dict[str, bytes]) -> bytes:
    """A bundle of a stranger, who signs whatever it is."""
    files = {**files, "public-key.pem": pem(STRANGER.public_key().public_bytes_raw())}
    manifest = json.loads(members()["manifest.json"])
    manifest["fingerprint"] = fingerprint(STRANGER.public_key().public_bytes_raw())
    manifest["members"] = [{"name": name, "octets": len(file), "sha256": hashlib.sha256(file).hexdigest()}
                           for name, file in files.items() if not name.startswith("manifest")]
    files["manifest.json"] = json.dumps(manifest).encode()
    return packed({**files, "manifest.sig": STRANGER.sign(files["manifest.json"])})


def fuzz(data: bytes) -> None:
    """Whatever comes is told in findings, and nothing but the box's own is good in its name."""
    own = fingerprint(STRANGER.public_key().public_bytes_raw())
    assert check(io.BytesIO(data))
    for name in ("chain.json", "metadata.json"):
        assert any(not finding.good for finding in check(io.BytesIO(signed({**members(), name: data})), own))
    try:
        SealedReader(io.BytesIO(data), OneKey()).sha256()
    except (Tampered, KeyGone):
        pass
