"""Prompt files as sox and people make them."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.media import prompts
from appliance.media.prompts import Library, PromptError


def sox(path: Path, *encoding: str, seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["sox", "-n", *encoding, str(path), "synth", str(seconds), "sine", "440"],
                   check=True, capture_output=True)
    return path


ALAW = ("-r", "8000", "-c", "1", "-e", "a-law")


def test_a_file_of_sox_is_read(tmp_path: Path) -> None:
    path = sox(tmp_path / "en" / "greeting.wav", *ALAW)
    raw = subprocess.run(["sox", str(path), "-t", "al", "-"], check=True, capture_output=True).stdout
    assert Library(tmp_path).get("en/greeting").octets.tobytes() == raw
    assert len(raw) == 4000


@pytest.mark.parametrize("size", [1, 1000, 1001])
def test_sox_reads_what_we_write(tmp_path: Path, size: int) -> None:
    octets = np.arange(size).astype(np.uint8)
    (tmp_path / "ours.wav").write_bytes(prompts.wav(octets))
    path = str(tmp_path / "ours.wav")
    read = subprocess.run(["sox", path, "-t", "al", "-"], check=True, capture_output=True)
    assert (read.stdout, read.stderr) == (octets.tobytes(), b"")
    assert (Library(tmp_path).get("ours").octets == octets).all()


@pytest.mark.parametrize(("encoding", "said"), [
    (("-r", "22050", "-c", "1", "-e", "signed", "-b", "16"), "is 22050 Hz 16 bit PCM"),
    (("-r", "8000", "-c", "2", "-e", "a-law"), "is 8000 Hz stereo 8 bit A-law"),
    (("-r", "8000", "-c", "1", "-e", "u-law"), "is 8000 Hz 8 bit mu-law"),
])
def test_another_format_is_named_with_the_way_out(
    tmp_path: Path, encoding: tuple[str, ...], said: str,
) -> None:
    path = sox(tmp_path / "bad.wav", *encoding)
    with pytest.raises(PromptError) as refused:
        Library(tmp_path).get("bad")
    text = str(refused.value)
    assert text.startswith(f"{path}: {said}")
    assert "sox IN -r 8000 -c 1 -e a-law bad.wav" in text


def test_the_way_out_works(tmp_path: Path) -> None:
    bad = sox(tmp_path / "in.wav", "-r", "22050", "-c", "1", "-b", "16")
    subprocess.run(["sox", str(bad), *ALAW, str(tmp_path / "out.wav")], check=True, capture_output=True)
    assert Library(tmp_path).get("out").octets.size == 4000


def test_missing_empty_cut_and_not_a_wav_are_told_apart(tmp_path: Path) -> None:
    whole = sox(tmp_path / "whole.wav", *ALAW).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:-100])
    (tmp_path / "text.wav").write_bytes(b"hello")
    head = whole[:whole.index(b"data")]
    (tmp_path / "empty.wav").write_bytes(head + b"data" + bytes(4))
    (tmp_path / "headless.wav").write_bytes(whole[:12])
    for name, said in [("nothing", "No such file"), ("cut", "cut off"), ("text", "not a WAV"),
                       ("empty", "no audio"), ("headless", "no audio")]:
        with pytest.raises(PromptError, match=said) as refused:
            Library(tmp_path).get(name)
        assert f"{tmp_path}/{name}.wav" in str(refused.value)


@pytest.mark.parametrize("name", ["../secret", "en/../../secret", "/etc/x", "", "en//x", ".", "a\0b", "a\\b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    sox(tmp_path / "secret.wav", *ALAW)
    (tmp_path / "prompts").mkdir()
    with pytest.raises(PromptError, match="no prompt's name"):
        Library(tmp_path / "prompts").get(name)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    secret = sox(tmp_path / "secret.wav", *ALAW)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "link.wav").symlink_to(secret)
    with pytest.raises(PromptError, match="leads out"):
        Library(tmp_path / "prompts").get("link")


def test_a_changed_file_is_read_anew_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    library = Library(tmp_path)
    sox(tmp_path / "x.wav", *ALAW, seconds=0.5)
    first = library.get("x")
    assert library.get("x") is first
    sox(tmp_path / "x.wav", *ALAW, seconds=0.25)                      # overwritten in place
    assert (first.octets.size, library.get("x").octets.size) == (4000, 2000)
    (tmp_path / "x.wav").unlink()
    with pytest.raises(PromptError):
        library.get("x")


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        sox(tmp_path / f"{name}.wav", *ALAW)
    library = Library(tmp_path, cache_octets=8000)
    first = {name: library.get(name) for name in "abc"}
    assert [library.get(name) is first[name] for name in "cba"] == [True, True, False]
    monkeypatch.setattr(prompts, "MAX_OCTETS", 1000)
    with pytest.raises(PromptError, match="larger than"):
        Library(tmp_path).get("a")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_octets_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    octets = bytearray(
        b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x06\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0"
        b"data\x04\0\0\0abcd")
    for at in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
        octets[at] = data.draw(st.integers(0, 255))
    (folder / "x.wav").write_bytes(octets[:data.draw(st.integers(0, len(octets)))])
    try:
        prompt = Library(folder).get("x")
    except PromptError as error:
        assert str(folder) in str(error)
    else:
        assert isinstance(prompt.octets, np.ndarray)
        assert prompt.octets.size
