"""Sealed files: any writes read back anywhere, any change is found, no power cut or rotation loses one."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.recording.vault.keys import Keys
from appliance.store.sealed import (
    CHUNK_OCTETS,
    HEADER_OCTETS,
    KeyGone,
    PassphraseWrapper,
    SealedReader,
    SealedWriter,
    Tampered,
    Wrapped,
    erase,
    rewrap,
    rewrapped,
    wrapped_by,
)
from appliance.store.sealed.wrapping import unwrap_with, wrap_with

NAME = bytes(range(16))
SIZES = st.one_of(st.integers(0, 300), st.integers(CHUNK_OCTETS - 2, CHUNK_OCTETS + 2),
                  st.integers(2 * CHUNK_OCTETS - 2, 2 * CHUNK_OCTETS + 2))


class OneKey:
    """A key of its own making."""

    def __init__(self, key: bytes = b"k" * 32) -> None:
        self._key = key

    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped(f"{self._key[0]:032x}", wrap_with(self._key, key))

    def unwrap(self, wrapped: Wrapped) -> bytes:
        return unwrap_with(self._key, wrapped.octets)


def sealed(octets: bytes, name: bytes = NAME) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, OneKey(), name, {"format": "opus"})
    writer.write(octets)
    writer.close()
    return file.getvalue()


def plain(octets: bytes, name: bytes | None = None) -> bytes:
    return b"".join(SealedReader(io.BytesIO(octets), OneKey(), name).blocks())


@settings(max_examples=60, deadline=None)
@given(st.lists(SIZES, max_size=5), st.lists(st.tuples(SIZES, SIZES), max_size=10))
def test_whatever_is_written_is_read_anywhere(sizes: list[int], reads: list[tuple[int, int]]) -> None:
    parts = [os.urandom(size) for size in sizes]
    whole, file = b"".join(parts), io.BytesIO()
    writer = SealedWriter(file, OneKey(), NAME, {"format": "opus", "地": "京"})
    for part in parts:
        writer.write(part)
    seal = writer.close()
    assert (seal.octets, seal.file_octets) == (len(whole), len(file.getvalue()))
    reader = SealedReader(file, OneKey(), NAME)
    assert (reader.octets, reader.identity.name, reader.identity.about["地"]) == (len(whole), NAME, "京")
    for at, most in reads:
        assert reader.read(at, most) == whole[at:at + most]
    assert reader.sha256() == seal.sha256
    with reader.stream() as stream:
        stream.seek(len(whole) // 2)
        assert stream.read() == whole[len(whole) // 2:]


WHOLE = os.urandom(2 * CHUNK_OCTETS + 1000)
SEALED = sealed(WHOLE)
CHUNK = CHUNK_OCTETS + 16


@pytest.mark.parametrize("at", [
    0, 9, 11, 13, 20, 35, 37, 40, 300, 511,                          # identity
    512, 520, 540, 560, 1000, 1023,                                  # the slot that counts
    HEADER_OCTETS, HEADER_OCTETS + 70, HEADER_OCTETS + CHUNK - 1, HEADER_OCTETS + CHUNK,
    HEADER_OCTETS + 2 * CHUNK + 999, len(SEALED) - 1])
def test_a_changed_octet_is_found(at: int) -> None:
    changed = SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1:]
    with pytest.raises((Tampered, KeyGone)):
        plain(changed)


@pytest.mark.parametrize("length", [
    0, 8, 511, HEADER_OCTETS - 1, HEADER_OCTETS, HEADER_OCTETS + 15, HEADER_OCTETS + 16,
    HEADER_OCTETS + CHUNK, HEADER_OCTETS + CHUNK + 1, HEADER_OCTETS + CHUNK + 16, HEADER_OCTETS + 2 * CHUNK,
    len(SEALED) - 1])
def test_what_is_cut_off_is_found_when_it_is_opened(length: int) -> None:
    with pytest.raises(Tampered):
        SealedReader(io.BytesIO(SEALED[:length]), OneKey())


def chunks(octets: bytes) -> list[bytes]:
    body = octets[HEADER_OCTETS:]
    return [body[at:at + CHUNK] for at in range(0, len(body), CHUNK)]


def test_chunks_cannot_be_moved_repeated_or_added() -> None:
    head, (first, second, last) = SEALED[:HEADER_OCTETS], chunks(SEALED)
    other = sealed(WHOLE, bytes(16))
    for wrong in ([second, first, last], [first, first, last], [first, last], [first, second, last, last],
                  [first, second, last + b"x"], [chunks(other)[0], second, last]):
        with pytest.raises(Tampered):
            plain(head + b"".join(wrong))


def test_a_file_in_the_place_of_another_is_found() -> None:
    assert plain(SEALED, NAME) == WHOLE
    with pytest.raises(Tampered, match="in the place of another"):
        plain(SEALED, bytes(16))
    other = sealed(b"another", bytes(16))
    with pytest.raises(Tampered):                                    # nor does another's key open it
        plain(other[:512] + SEALED[512:])


def test_a_passphrase_opens_what_it_sealed_and_is_nowhere_to_be_seen() -> None:
    wrapper = PassphraseWrapper("correct horse")
    wrapped = wrapper.wrap(b"k" * 32)
    assert Wrapped.read(wrapped.write() + b"what follows") == wrapped
    assert wrapper.unwrap(wrapped) == b"k" * 32
    assert "horse" not in repr(wrapper) + repr(wrapped)
    with pytest.raises(KeyGone, match="passphrase"):
        PassphraseWrapper("wrong").unwrap(wrapped)
    with pytest.raises(KeyGone, match="not with a passphrase"):
        wrapper.unwrap(OneKey().wrap(b"k" * 32))


def test_a_strangers_parameters_cost_no_more_than_we_allow() -> None:
    wrapped = PassphraseWrapper("x").wrap(b"k" * 32)
    greedy = Wrapped(wrapped.by, wrapped.octets[:1] + b"\xff\xff\xff\xff" + wrapped.octets[5:])
    for bad in (greedy, Wrapped(wrapped.by, wrapped.octets[:9])):
        with pytest.raises(Tampered):
            PassphraseWrapper("x").unwrap(bad)


# The box's key changes


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def keep(path: Path, keys: Keys, octets: bytes = b"a talk") -> Path:
    with path.open("wb") as file:
        writer = SealedWriter(file, keys, NAME)
        writer.write(octets)
        writer.close()
    return path


def read(path: Path, keys: Keys) -> bytes:
    with path.open("rb") as file:
        return b"".join(SealedReader(file, keys).blocks())


def test_a_rewrapped_file_opens_with_the_new_key_alone(tmp_path: Path, keys: Keys) -> None:
    path = keep(tmp_path / "one.blr", keys)
    body = path.read_bytes()[HEADER_OCTETS:]
    for _ in range(3):                            # into one slot, then into the other
        old = keys.current
        new = keys.rotate()
        assert rewrap(path, keys, new)
        assert wrapped_by(path) == {new}
        keys.forget(old)
        assert read(path, keys) == b"a talk"
        assert not rewrap(path, keys, new)
    assert path.read_bytes()[HEADER_OCTETS:] == body


def test_a_power_cut_at_any_octet_of_a_rewrapping_loses_nothing(
        tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[tuple[int, bytes]] = []
    really = os.pwrite

    def noted(descriptor: int, octets: bytes, at: int) -> int:
        writes.append((at, octets))
        return really(descriptor, octets, at)

    monkeypatch.setattr(os, "pwrite", noted)
    path = keep(tmp_path / "one.blr", keys)
    for _ in range(2):                            # both directions
        image, new = path.read_bytes(), keys.rotate()
        writes.clear()
        assert rewrap(path, keys, new)
        assert len(writes) == 2
        for at, octets in list(writes):
            for count in range(len(octets) + 1):
                for rest in (image[at + count:at + len(octets)], os.urandom(len(octets) - count)):
                    torn = image[:at] + octets[:count] + rest + image[at + len(octets):]
                    assert b"".join(SealedReader(io.BytesIO(torn), keys).blocks()) == b"a talk"
            again = tmp_path / "again.blr"
            again.write_bytes(image[:at] + octets[:100] + os.urandom(412) + image[at + 512:])
            assert rewrap(again, keys, new)       # whatever is left of the older wrapping goes, too
            assert wrapped_by(again) == {new}
            assert b"\0" * 512 in (again.read_bytes()[512:1024], again.read_bytes()[1024:1536])
            image = image[:at] + octets + image[at + len(octets):]
        assert image == path.read_bytes()


def test_an_erased_file_opens_no_more_even_from_a_copy_made_of_the_disk(tmp_path: Path, keys: Keys) -> None:
    path = keep(tmp_path / "one.blr", keys)
    os.link(path, tmp_path / "what the disk keeps")
    erase(path)
    assert not path.exists()
    with pytest.raises(KeyGone, match="erased"):
        read(tmp_path / "what the disk keeps", keys)
    with pytest.raises(KeyGone, match="erased"):
        rewrap(tmp_path / "what the disk keeps", keys, keys.current)
    with pytest.raises(FileNotFoundError):
        erase(path)


def test_a_link_is_not_followed(tmp_path: Path, keys: Keys) -> None:
    path = keep(tmp_path / "one.blr", keys)
    (tmp_path / "link.blr").symlink_to(path)
    for act in (erase, lambda link: rewrap(link, keys, keys.current)):
        with pytest.raises(OSError, match="symbolic"):
            act(tmp_path / "link.blr")
    assert read(path, keys) == b"a talk"


def test_a_copy_for_elsewhere_opens_there_and_not_here(tmp_path: Path, keys: Keys) -> None:
    path = keep(tmp_path / "one.blr", keys, WHOLE)
    with path.open("rb") as file:
        copy = b"".join(rewrapped(file, keys, OneKey()))
    assert plain(copy) == WHOLE
    with pytest.raises(KeyGone):
        SealedReader(io.BytesIO(copy), keys)
