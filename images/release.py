"""What an image says of itself, and what a build finds in the tree: parts, licences, hashes.

Ref: CycloneDX 1.5 (ECMA-424); Debian's machine-readable copyright format 1.0; package URLs (purl).
"""

import email.parser
import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from images.tools import run

FILE = Path("etc/branchline/release")
SITE = Path("opt/branchline/lib/python3.11/site-packages")


@dataclass(frozen=True, slots=True)
class Part:
    kind: str                                     # deb, pypi
    name: str
    version: str
    arch: str                                     # of pypi: ""
    licences: tuple[str, ...]
    sha256: str                                   # of the .deb; of a wheel: its RECORD, which has each file's

    @property
    def purl(self) -> str:
        return (f"pkg:deb/debian/{self.name}@{self.version}?arch={self.arch}" if self.kind == "deb" else
                f"pkg:pypi/{self.name.lower()}@{self.version}")


def write(tree: Path, words: Mapping[str, str]) -> None:
    """`words` as KEY=value lines."""
    path = tree / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key}={value}\n" for key, value in words.items()))


def built(epoch_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch_s))


def parts(tree: Path) -> list[Part]:
    return sorted([*_debian(tree), *_python(tree)], key=lambda part: (part.kind, part.name))


def sbom(found: list[Part], version: str, epoch_s: int) -> str:
    """CycloneDX JSON; the same parts give the same text."""
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"timestamp": built(epoch_s),
                     "component": {"type": "operating-system", "name": "branchline", "version": version}},
        "components": [{
            "type": "library", "bom-ref": part.purl, "name": part.name, "version": part.version,
            "purl": part.purl, "licenses": [{"license": {"name": name}} for name in part.licences],
            **_hashed(part),
        } for part in found]}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _hashed(part: Part) -> dict[str, Any]:
    if not part.sha256:
        return {}
    if part.kind == "deb":
        return {"hashes": [{"alg": "SHA-256", "content": part.sha256}]}
    return {"properties": [{"name": "branchline:record-sha256", "value": part.sha256}]}


def licences(found: list[Part]) -> str:
    """A line for each part. The texts themselves are in the image beside the parts."""
    return "".join(f"{part.name} {part.version}: {', '.join(part.licences) or 'see its copyright file'}\n"
                   for part in found)


def _fields(text: str) -> Message:
    return email.parser.Parser().parsestr(text, headersonly=True)


def _debian(tree: Path) -> Iterator[Part]:
    status = (tree / "var/lib/dpkg/status").read_text()
    rows = [_fields(block) for block in status.split("\n\n") if block]
    names = [f"{row['Package']}={row['Version']}" for row in rows
             if not row["Package"].startswith("branchline")]
    known = {}
    for block in run(["apt-cache", "show", "--no-all-versions", *names]).split("\n\n"):
        row = _fields(block)
        if row["SHA256"]:
            known[row["Package"], row["Version"]] = row["SHA256"]
    for row in rows:
        name, version = row["Package"], row["Version"]
        copyright_file = tree / "usr/share/doc" / name / "copyright"
        text = copyright_file.read_text(errors="replace") if copyright_file.is_file() else ""
        short = re.findall(r"^License: *(\S[^\n]*)$", text, re.MULTILINE)
        yield Part("deb", name, version, row["Architecture"], tuple(sorted({word.strip() for word in short})),
                   known.get((name, version), ""))


def _python(tree: Path) -> Iterator[Part]:
    for folder in (tree / SITE).glob("*.dist-info"):
        meta = _fields((folder / "METADATA").read_text())
        said = [meta["License-Expression"] or "",
                *(row.rpartition(" :: ")[2] for row in meta.get_all("Classifier", [])
                  if row.startswith("License")),
                (meta["License"] or "").split("\n")[0][:80]]
        record = folder / "RECORD"
        yield Part("pypi", meta["Name"], meta["Version"], "", tuple(word for word in said if word)[:1],
                   hashlib.sha256(record.read_bytes()).hexdigest() if record.exists() else "")
