"""Fragments to sounds."""

import subprocess
import weakref
from pathlib import Path

import numpy as np
import pytest

from appliance.media import g711, speech, tones
from appliance.media.prompts import Library, wav
from appliance.span import sounds as module
from appliance.span.sounds import Sounds
from e1_driver import IDLE

MS = 8                                            # samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, seconds in (("one", "0.1"), ("two", "0.2")):
        subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-e", "a-law", str(tmp_path / f"{name}.wav"),
                        "synth", seconds, "sine", "440"], check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def sounds(folder: Path) -> Sounds:
    return Sounds(Library(folder), "gb")


def record(folder: Path, *languages: str) -> dict[str, g711.Octets]:
    """A recording for every word: octets that are its number, over and over."""
    said = {}
    for language in languages:
        for number, name in enumerate(speech.vocabulary(language)):
            said[name] = np.full(8, number, np.uint8)
            path = folder / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wav(said[name]))
    return said


def test_fragments_are_joined_in_order(sounds: Sounds) -> None:
    sound, wrong = sounds.compile(["prompt:one", "tone:busy", "prompt:two"], False)
    assert sound is not None
    assert (sound.octets.size, wrong) == (800 + 6000 + 1600, "")
    assert (sound.octets[800:6800] == tones.loop("gb", "busy")).all()


def test_values_are_recordings_one_after_the_other(folder: Path) -> None:
    said = record(folder, "zh", "en")
    sounds = Sounds(Library(folder), "gb", "en", "EUR", ["and"])
    sound, wrong = sounds.compile(
        ["number/zh:12", "digits:4 2", "silence:10", "amount:101", "time/24h:09:30"], False)
    assert sound is not None and wrong == ""
    expected = [
        *(said[f"zh/number/{one}"] for one in (10, 2)), said["en/number/4"], np.full(250 * MS, IDLE),
        said["en/number/2"], np.full(10 * MS, IDLE),
        *(said[f"en/{one}"] for one in ("number/1", "number/hundred", "number/and", "number/1",
                                        "currency/eur-many", "digit/oh", "number/9", "number/30"))]
    assert (sound.octets == np.concatenate(expected)).all()


@pytest.mark.parametrize(("fragment", "expected"), [
    ("tone:busy 2000", np.resize(tones.loop("gb", "busy"), 2000 * MS)),
    ("tone:dial", tones.loop("gb", "dial")),
    ("silence:500", np.full(500 * MS, IDLE)), ("dtmf:12#", tones.dtmf("12#")),
])
def test_what_is_made_from_numbers(sounds: Sounds, fragment: str, expected: g711.Octets) -> None:
    sound, wrong = sounds.compile([fragment], False)
    assert sound is not None and wrong == ""
    assert (sound.octets.size, sound.repeat, sound.music) == (expected.size, False, False)
    assert (sound.octets == expected).all()


def test_noise_has_its_level_and_length(sounds: Sounds) -> None:
    sound, _ = sounds.compile(["noise:-50 20000"], True)
    assert sound is not None and sound.octets.size == 20000 * MS
    samples = g711.decode(sound.octets).astype(np.float64)
    assert 20 * np.log10(np.sqrt(2 * np.mean(samples ** 2)) / g711.PEAK_0DBM0) == pytest.approx(-50, abs=0.5)


def test_music_is_one_sound_for_ever_and_stands_alone(sounds: Sounds) -> None:
    music, wrong = sounds.compile(["music:two"], False)
    again, _ = sounds.compile(["music:two"], True)
    assert music is not None and music is again and wrong == ""
    assert (music.octets.size, music.repeat, music.music) == (1600, True, True)
    assert sounds.compile(["prompt:two"], True)[0] is not music
    sound, wrong = sounds.compile(["prompt:one", "music:two"], False)
    assert sound is not None and sound.octets.size == 800 and not sound.repeat
    assert wrong == "'music:two' goes on for ever: play it by itself"
    sound, _ = sounds.compile(["music:two", "prompt:one"], False)
    assert sound is not None and (sound.octets.size, sound.repeat, sound.music) == (800, False, False)


def test_equal_plays_share_a_sound_until_a_file_changes(sounds: Sounds, folder: Path) -> None:
    first, again = (sounds.compile(["prompt:one", "prompt:two"], True)[0] for _ in range(2))
    assert first is again
    assert sounds.compile(["prompt:one", "prompt:two"], False)[0] is not first
    (folder / "one.wav").write_bytes((folder / "two.wav").read_bytes())
    changed, _ = sounds.compile(["prompt:one", "prompt:two"], True)
    assert changed is not None
    assert changed.octets.size == 3200


@pytest.mark.parametrize(("fragments", "said"), [
    ([], "nothing to play"), (["prompt:gone"], "gone.wav: No such file"),
    (["one"], "write KIND:VALUE, a kind is one of prompt, music, tone"),
    (["prompt:../one"], "no prompt's name"),
    (["tone:siren"], "one of call-waiting"), (["tone:busy 0"], "write 1 to 600000"),
    (["tone:busy  5"], "no such tone"),
    (["silence:x"], "silence:500"), (["silence:600001"], "write 1 to 600000"),
    (["noise:-60"], "noise:-60 2000"), (["noise:-10 5"], "a level of -70 to -20"),
    (["dtmf:"], "write at most 64"), (["dtmf:12x"], "at most 64 of 123A"),
    (["number:x"], "'x' is no number"), (["number/fr:1"], "it has zh, en"),
    (["number:7"], "zh/number/7.wav: No such file"),
])
def test_what_cannot_be_played_is_explained(sounds: Sounds, fragments: list[str], said: str) -> None:
    sound, wrong = sounds.compile(fragments, False)
    assert sound is None
    assert said in wrong
    rest, still_wrong = sounds.compile([*fragments, "prompt:one"], False)
    assert rest is not None and rest.octets.size == 800
    assert still_wrong == (wrong if fragments else "")


def test_a_play_has_a_bound(sounds: Sounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OCTETS", 1000)
    sound, wrong = sounds.compile(["prompt:one"] * 3, False)
    assert sound is not None
    assert sound.octets.size == 800
    assert "longer than" in wrong


def test_what_is_kept_has_a_bound(sounds: Sounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT_OCTETS", 20 * MS)
    kept = [weakref.ref(sounds.compile([f"silence:{ms}"], False)[0]) for ms in (10, 9, 8)]
    assert [one() is None for one in kept] == [True, False, False]
    assert sounds.compile(["silence:9"], False)[0] is kept[1]()


def test_a_sound_that_is_played_is_shared_however_long_ago_it_was_made(
    sounds: Sounds, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_KEPT_OCTETS", 20 * MS)
    played, _ = sounds.compile(["silence:10"], False)
    for ms in (9, 8):
        sounds.compile([f"silence:{ms}"], False)
    assert sounds.compile(["silence:10"], False)[0] is played


def test_all_that_is_played_has_a_bound(sounds: Sounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT_OCTETS", 0)
    monkeypatch.setattr(module, "ALL_OCTETS", 20 * MS)
    played = [sounds.compile([f"silence:{ms}"], False)[0] for ms in (10, 9)]
    sound, wrong = sounds.compile(["silence:2"], False)
    assert sound is None and "all that is played now is longer than" in wrong
    assert sounds.compile(["silence:1"], False)[0] is not None
    del played[0]
    assert sounds.compile(["silence:2"], False)[0] is not None


def test_mistakes_are_told_once_and_not_without_end(sounds: Sounds) -> None:
    _, wrong = sounds.compile([f"tone:{name}" for name in "aabcdefg"], False)
    assert [wrong.count(f"'tone:{name}'") for name in "abcdefg"] == [1] * 5 + [0] * 2
    assert wrong.endswith("; and 2 more")


def test_spoken_texts_have_a_library_of_their_own(folder: Path, tmp_path: Path) -> None:
    texts = tmp_path / "said"
    texts.mkdir()
    (texts / "0a1b.wav").write_bytes(wav(np.full(80, 7, np.uint8)))
    sounds = Sounds(Library(folder), "gb", said=Library(texts))
    sound, wrong = sounds.compile(["prompt:one", "said:0a1b"], False)
    assert sound is not None and wrong == ""
    assert sound.octets.size == 800 + 80 and (sound.octets[800:] == 7).all()
    assert "said/none.wav" in sounds.compile(["said:none"], False)[1]
