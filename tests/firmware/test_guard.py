"""The guard of the card: each case on CPython, and all of them again on MicroPython."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import control, image, release
from tests.firmware import guard_cases

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = Path(sys.executable).with_name("micropython")
VERSION = (1, 2, 3)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what guard_cases wants."""
    folder = tmp_path_factory.mktemp("images")
    release.new_key(folder / "key")
    key = release.read_key(folder / "key")
    payload = bytes(range(256)) * 70 + b"end"
    stranger = rsa.generate_private_key(65537, 3072)
    (folder / "modulus").write_bytes((folder / "key.modulus").read_bytes())
    (folder / "good").write_bytes(release.sign(payload, guard_cases.HARDWARE, VERSION, key))
    (folder / "foreign").write_bytes(release.sign(payload, guard_cases.HARDWARE, VERSION, stranger))
    (folder / "other").write_bytes(release.sign(payload, "branchline-e1", VERSION, key))
    return folder


@pytest.mark.need(19)
@pytest.mark.parametrize("name", guard_cases.CASES)
def test_case(name: str, images: Path, tmp_path: Path) -> None:
    for one in images.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    getattr(guard_cases, name)(str(tmp_path))


def test_the_same_on_micropython(images: Path, tmp_path: Path) -> None:
    for one in images.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    command = [str(MICROPYTHON), "-X", "heapsize=8M", "-m", "tests.firmware.guard_cases", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, f"{len(guard_cases.CASES)} cases\n"), run.stdout + run.stderr


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, image.HEAD_OCTETS - 1), flip=st.integers(1, 255))
def test_no_octet_of_a_head_can_be_changed(images: Path, at: int, flip: int) -> None:
    head = bytearray((images / "good").read_bytes()[:image.HEAD_OCTETS])
    head[at] ^= flip
    modulus = int.from_bytes((images / "modulus").read_bytes(), "big")
    with pytest.raises(image.ImageError):
        image.verified(bytes(head), modulus)


def test_a_signature_with_room_for_a_forger_is_refused(images: Path) -> None:
    """Bleichenbacher's: a shorter padding with rubbish behind the digest, as a cube root of it would have."""
    head = (images / "good").read_bytes()[:image.HEAD_OCTETS]
    modulus = int.from_bytes((images / "modulus").read_bytes(), "big")
    for signature in (b"\0" * 384, b"\xff" * 384, (modulus - 1).to_bytes(384, "big"), bytes(383) + b"\x01"):
        with pytest.raises(image.ImageError, match="signature"):
            image.verified(head[:image.SIGNED_OCTETS] + signature, modulus)


def test_every_message_both_ways() -> None:
    """Octets of each message, both ways; a later version may append."""
    messages: list[tuple[Callable[..., bytes], Callable[[bytes], object], tuple[object, ...]]] = [
        (control.pack_lease, control.read_lease, (True, False, True, 20_000)),
        (control.pack_lease, control.read_lease, (False, True, False, 0)),
        (control.pack_state, control.read_state, (7, 99, 12_000, 5, True, 1, 255, True, 1, 3, 100_000)),
        (control.pack_state, control.read_state, (65_535, 0, 0, 0, False, 2, 0, False, 0, 0, 0)),
        (control.pack_card, control.read_card, (0, 1, 3, True, "branchline-e1", "B1", "1.2.3")),
        (control.pack_update, control.read_update, (1, 1024, 65_536)),
        (control.pack_answer, control.read_answer, (control.RESET, 9, "not now")),
        (control.pack_crash, control.read_crash, (2, 3600, 1, "Traceback\nError")),
    ]
    for pack, read, values in messages:
        octets = pack(*values)
        assert read(octets) == values
        if octets[-1:].isascii() and pack not in (control.pack_card, control.pack_answer, control.pack_crash):
            assert read(octets + b"later") == values
        for length in range(1, 5):
            with pytest.raises(ValueError, match="line card"):
                read(octets[:length] if pack is not control.pack_answer else octets[:min(length, 2)])
    assert control.read_sensors(control.pack_sensors(-1234, [5000, 3300])) == (-1234, [5000, 3300])
    assert control.read_lease(control.pack_lease(True, False, False, 1 << 30))[3] == control.LONGEST_LEASE_MS
