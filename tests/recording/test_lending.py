"""Recordings lent to the telephone, prompts out of recordings: by the box's own vault, store and sounds."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from appliance.bus.messages import KeepAsPrompt, LendRecording, LentRecording
from appliance.errors import StateError
from appliance.media import g711
from appliance.media.prompts import LENT, Library
from appliance.recording import lending
from appliance.recording.audio import Format, encode
from appliance.recording.vault.chain import of_recording
from appliance.span.sounds import Sounds
from tests.recording.vault.box import NOON, Box, make_box

TICKS, RATE_HZ = 100, 8000


def tone(hz: float, seconds: float, peak: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(2 * np.pi * hz * at) * peak).astype(np.int16)


def sides(caller: Any, agent: Any) -> bytes:
    """Interleaved A-law."""
    return np.stack([g711.encode(caller), g711.encode(agent)], axis=1).tobytes()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "recordings")
    made.parts.run_dir = tmp_path / "run"
    made.parts.config = cast(Any, SimpleNamespace(media=SimpleNamespace(prompts=str(tmp_path / "prompts"))))
    made.parts.taker = cast(Any, SimpleNamespace(timeline=_nothing))
    yield made
    made.parts.database.close()


def _nothing(recording: str) -> None:
    raise ValueError(recording)


def keep(box: Box, octets: bytes, number: int = 1) -> str:
    return box.record(number, b"".join(encode(Format.WAV, [octets], TICKS)))


def lend(box: Box, recording: str, for_s: float = 60.0) -> LentRecording:
    asked = LendRecording(recording=recording, by="ann", for_s=for_s)
    reply = lending.ANSWERS[LendRecording](box.parts, asked)
    assert isinstance(reply, LentRecording)
    return reply


def spectrum(octets: g711.Octets) -> dict[int, float]:
    """dB of the loudest line at each of these Hz."""
    power = np.abs(np.fft.rfft(g711.decode(octets).astype(float) * np.hanning(octets.size))) ** 2
    return {hz: 10 * np.log10(power[round(hz * octets.size / RATE_HZ)]) for hz in (500, 1100, 2000)}


def test_both_sides_are_lent_to_spand_for_a_time_and_who_hears_them_is_in_the_chain(box: Box) -> None:
    recording = keep(box, sides(tone(500, 1, 8000), tone(1100, 1, 8000)))
    lent = lend(box, recording)
    folder = box.parts.run_dir / LENT
    assert lent.duration_s == 1.0 and [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o640]
    sounds = Sounds(Library(folder), "cn", lent=Library(folder, 0))
    sound, wrong = sounds.compile([f"{lent.fragment}@0"], False)
    assert sound is not None and wrong == "" and sound.octets.size == RATE_HZ
    levels = spectrum(sound.octets)
    assert abs(levels[500] - levels[1100]) < 1 and levels[500] - levels[2000] > 30
    later, _ = sounds.compile([f"{lent.fragment}@750"], False)
    assert later is not None and (later.octets == sound.octets[6000:]).all()
    end, _ = sounds.compile([f"{lent.fragment}@99999999"], False)
    assert end is not None and end.octets.size == 1
    with box.parts.database.read() as connection:
        last = of_recording(connection, recording)[-1]
    assert (last.kind, last.by, '"replay"' in last.data) == ("listened", "ann", True)
    lending.tend(box.parts, NOON + 59)
    assert len(list(folder.iterdir())) == 1
    lending.tend(box.parts, NOON + 60)
    assert not list(folder.iterdir())
    _, wrong = sounds.compile([f"{lent.fragment}@0"], False)
    assert lent.fragment.partition(":")[2] in wrong


def test_what_is_lent_goes_with_its_recording_and_takes_no_more_memory_than_it_may(
        box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    two = sides(tone(500, 1, 8000), tone(1100, 1, 8000))
    one, other = keep(box, two), keep(box, two, 2)
    folder = box.parts.run_dir / LENT
    kept = [lend(box, other, for_s).fragment for for_s in (60.0, 30.0, 90.0)]
    lend(box, one)
    lending.take_back(box.parts, one)
    assert {path.stem for path in folder.iterdir()} == {name.partition(":")[2] for name in kept}
    monkeypatch.setattr(lending, "MOST_LENT_OCTETS", 3 * RATE_HZ + 200)
    newest = lend(box, other).fragment
    assert {path.stem for path in folder.iterdir()} == {       # what would have ended first is gone
        name.partition(":")[2] for name in (kept[0], kept[2], newest)}


def test_a_prompt_that_is_too_long_is_not_even_read(box: Box) -> None:
    recording = keep(box, sides(tone(500, 1, 8000), tone(1100, 1, 8000)))
    with box.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE recordings SET duration_ticks = 60001")
        row = connection.exec_driver_sql("SELECT path FROM recordings").scalar_one()
    (box.parts.folder / row).unlink()
    with pytest.raises(StateError, match="longer than 600 s"):
        lending.ANSWERS[KeepAsPrompt](box.parts, KeepAsPrompt(recording=recording, name="a", by="ann"))


def test_what_is_lent_leaves_no_path_out_of_its_folder(box: Box) -> None:
    lent = lend(box, keep(box, sides(tone(500, 1, 8000), tone(1100, 1, 8000))))
    sounds = Sounds(Library(box.parts.run_dir), "cn", lent=Library(box.parts.run_dir / LENT, 0))
    for name in ("../x", "/etc/passwd", "", f"{lent.fragment}/../x"):
        assert sounds.compile([f"lent:{name}@0"], False)[0] is None


@pytest.mark.parametrize(("asked", "what"), [
    ({"recording": "f" * 32}, "no such recording"), ({"by": ""}, "who hears it"),
    ({"for_s": 0.0}, "1 to 3600"), ({"for_s": 3601.0}, "1 to 3600")])
def test_what_cannot_be_lent_is_refused_and_nothing_is_written(
        box: Box, asked: dict[str, Any], what: str) -> None:
    recording = keep(box, sides(tone(500, 1, 8000), tone(1100, 1, 8000)))
    with pytest.raises(StateError, match=what):
        lending.ANSWERS[LendRecording](box.parts, LendRecording(**{
            "recording": recording, "by": "ann", "for_s": 60.0, **asked}))
    with box.parts.database.read() as connection:
        assert [one.kind for one in of_recording(connection, recording)] == ["recorded"]
    assert not (box.parts.run_dir / LENT).exists()


def test_the_caller_s_words_become_a_prompt_that_spand_plays(box: Box) -> None:
    quiet = np.zeros(2000, np.int16)
    said = np.concatenate([quiet, tone(500, 0.5, 3000), quiet])
    recording = keep(box, sides(said, tone(1100, 1, 8000)))
    lending.ANSWERS[KeepAsPrompt](box.parts, KeepAsPrompt(recording=recording, name="zh/greeting", by="ann"))
    sounds = Sounds(Library(Path(box.parts.config.media.prompts)), "cn")
    sound, wrong = sounds.compile(["prompt:zh/greeting"], False)
    assert sound is not None and wrong == ""
    assert abs(sound.octets.size / RATE_HZ - 0.55) < 0.02        # the silence is gone
    levels = spectrum(sound.octets[400:4400])
    assert levels[500] - levels[1100] > 30                       # the agent's side is not in it
    with box.parts.database.read() as connection:
        last = of_recording(connection, recording)[-1]
    assert (last.kind, last.by, "zh/greeting" in last.data) == ("prompt", "ann", True)


@pytest.mark.parametrize("name", ["../greeting", "zh//greeting", "ZH/Greeting", "", "/etc/x", "a" * 101])
def test_no_other_name_is_written(box: Box, name: str) -> None:
    recording = keep(box, sides(tone(500, 1, 8000), tone(1100, 1, 8000)))
    with pytest.raises(StateError, match="no prompt's name"):
        lending.ANSWERS[KeepAsPrompt](box.parts, KeepAsPrompt(recording=recording, name=name, by="ann"))


def test_a_prompt_of_silence_leaves_the_one_before_as_it_was(box: Box) -> None:
    before = Path(box.parts.config.media.prompts) / "zh" / "greeting.wav"
    before.parent.mkdir(parents=True)
    before.write_bytes(b"before")
    recording = keep(box, sides(np.zeros(RATE_HZ, np.int16), tone(1100, 1, 8000)))
    with pytest.raises(StateError, match="nothing was said"):
        lending.ANSWERS[KeepAsPrompt](box.parts, KeepAsPrompt(
            recording=recording, name="zh/greeting", by="ann"))
    assert before.read_bytes() == b"before"
