"""What real encoders write becomes prompts of the same pitch, at one level; what is hostile does not."""

import struct
import subprocess
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import StateError
from appliance.media import g711, voice
from appliance.recording.prompts import decoder, sounds

HZ = 1000
SECONDS = 2.0

# What ffmpeg is told for each; the container's name ends the file.
ENCODED = {
    "pcm-u8-8k.wav": "-c:a pcm_u8 -ar 8000", "pcm-16-44k-stereo.wav": "-c:a pcm_s16le -ar 44100 -ac 2",
    "pcm-24-48k.wav": "-c:a pcm_s24le -ar 48000", "pcm-32-96k.wav": "-c:a pcm_s32le -ar 96000",
    "float-22k.wav": "-c:a pcm_f32le -ar 22050", "double.wav": "-c:a pcm_f64le -ar 16000",
    "alaw.wav": "-c:a pcm_alaw -ar 8000", "mulaw.wav": "-c:a pcm_mulaw -ar 8000",
    "ima.wav": "-c:a adpcm_ima_wav -ar 22050", "ms.wav": "-c:a adpcm_ms -ar 22050",
    "six-channels.wav": "-c:a pcm_s16le -ar 48000 -ac 6",
    "aiff.aiff": "-c:a pcm_s16be -ar 44100", "au.au": "-c:a pcm_s16be -ar 32000",
    "au-mulaw.au": "-c:a pcm_mulaw -ar 8000", "caf.caf": "-c:a pcm_s16le -ar 44100",
    "flac.flac": "-c:a flac -ar 44100", "flac-24.flac": "-c:a flac -sample_fmt s32 -ar 48000",
    "vorbis.ogg": "-c:a libvorbis -ar 44100 -q:a 4",
    "opus.opus": "-c:a libopus -ar 48000 -b:a 32k",
    "mp3.mp3": "-c:a libmp3lame -ar 44100 -b:a 64k",
    "mp3-variable-stereo.mp3": "-c:a libmp3lame -ac 2 -q:a 4",
    "mp3-11k.mp3": "-c:a libmp3lame -ar 11025 -b:a 32k -id3v2_version 0 -write_xing 0",
}
REFUSED = {"m4a.m4a": ("-c:a aac", "M4A/MP4"), "aac.aac": ("-c:a aac", "AAC"),
           "wma.wma": ("-c:a wmav2", "WMA"), "webm.webm": ("-c:a libopus", "WebM")}


def ffmpeg(path: Path, options: str, source: str = f"sine=frequency={HZ}:duration={SECONDS}") -> Path:
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-af", "volume=4",
                    *options.split(), str(path)], check=True)
    return path


def pitch_hz(samples: sounds.Floats) -> float:
    middle = samples[4000:12000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    return float(spectrum.argmax() * 8000 / middle.size)


@pytest.mark.parametrize("name", ENCODED)
def test_what_real_encoders_write_sounds_the_same(name: str, tmp_path: Path) -> None:
    samples, told = sounds.from_file(ffmpeg(tmp_path / name, ENCODED[name]))
    assert samples.size / 8000 == pytest.approx(SECONDS, abs=0.15), told  # coders add some
    assert pitch_hz(samples) == pytest.approx(HZ, abs=2), told
    middle = samples[4000:12000]
    # ffmpeg puts a tone of one channel into two at -3 dB each, and into one alone of six.
    spread = 20 * np.log10(6) if name.startswith("six") else 3.0 if "stereo" in name else 0.0
    peak_db = 20 * np.log10(np.sqrt(2 * np.mean(middle ** 2)) / 32768)
    assert peak_db + spread == pytest.approx(20 * np.log10(0.5), abs=1.0), told
    octets = sounds.encoded(samples, True, voice.LEVEL_DBM0)
    assert sounds.level_dbm0(octets) == pytest.approx(voice.LEVEL_DBM0, abs=0.3)


def test_what_the_telephone_cannot_carry_does_not_fold_back(tmp_path: Path) -> None:
    low = ffmpeg(tmp_path / "low.wav", "-ar 48000", "sine=frequency=3000:sample_rate=48000:duration=2")
    high = ffmpeg(tmp_path / "high.wav", "-ar 48000", "sine=frequency=5000:sample_rate=48000:duration=2")
    heard, folded = (np.abs(sounds.from_file(path)[0][4000:12000]).max() for path in (low, high))
    assert 20 * np.log10(folded / heard) < -70


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_called_by_its_name(name: str, tmp_path: Path) -> None:
    options, said = REFUSED[name]
    with pytest.raises(StateError, match=f"{said}.*save it as WAV or MP3"):
        sounds.from_file(ffmpeg(tmp_path / name, options))


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.wav", bytes(50_000_000))


def flac_bomb(path: Path) -> None:
    """An hour of silence is a few kilobytes."""
    ffmpeg(path, "-f flac -c:a flac -ar 8000", "anullsrc=r=8000:cl=mono:d=3600")


def lying_wav(path: Path) -> None:
    """A header that says four gigabytes of 65535 channels."""
    path.write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + struct.pack(
        "<HHIIHH", 1, 65535, 8000, 4_294_967_295, 65535, 16) + b"data\xff\xff\xff\xff" + bytes(1000))


def wild_rate(path: Path) -> None:
    path.write_bytes(b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0" + struct.pack(
        "<HHIIHH", 1, 1, 4_000_000_000, 8_000_000, 2, 16) + b"data\xff\xff\xff\x7f" + bytes(1000))


def only_silence(path: Path) -> None:
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(16000))


def octets(those: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(those)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "a ZIP archive": zip_bomb, "longer than 600 s": flac_bomb, "(channels|none that can be read)": lying_wav,
    "(samples a second|none that can be read)": wild_rate,
    "no kind of file that is known": octets(b"#!/bin/sh\nrm -rf /\n"),
    "a program": octets(b"\x7fELF" + bytes(100)),
    "none that can be read": octets(b"fLaC" + bytes(range(256)) * 40),
    "no kind of file": octets(b""),
    "(no sound in it|none that can be read)": octets(b"RIFF\0\0\0\0WAVE"),
}


@pytest.mark.parametrize("said", HOSTILE)
def test_a_hostile_file_ends_in_a_sentence(said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    HOSTILE[said](path)
    with pytest.raises(StateError, match=said):
        sounds.from_file(path)


def test_silence_is_no_prompt(tmp_path: Path) -> None:
    only_silence(tmp_path / "bad")
    samples, _ = sounds.from_file(tmp_path / "bad")
    with pytest.raises(StateError, match="nothing is heard"):
        sounds.encoded(samples, True, -16.0)


@pytest.mark.parametrize("name", ["pcm-16-44k-stereo.wav", "flac.flac", "vorbis.ogg", "mp3.mp3", "aiff.aiff"])
def test_every_cut_is_read_as_far_as_it_goes_or_refused(name: str, tmp_path: Path) -> None:
    whole = ffmpeg(tmp_path / name, ENCODED[name]).read_bytes()
    for share in (0.02, 0.5, 0.9):
        (tmp_path / "cut").write_bytes(whole[:int(len(whole) * share)])
        try:
            samples, _ = sounds.from_file(tmp_path / "cut")
        except StateError:
            continue
        assert samples.size <= 8000 * SECONDS * 1.1 and np.isfinite(samples).all()


def test_floats_beyond_all_measure_are_levelled_not_folded(tmp_path: Path) -> None:
    at = np.arange(16000) / 8000
    wild = (np.sin(2 * np.pi * 440 * at) * 50).astype("<f4")
    wild[5000:5010] = np.nan
    wild[6000:6004] = np.inf
    data = wild.tobytes()
    (tmp_path / "f.wav").write_bytes(
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt \x10\0\0\0"
        + struct.pack("<HHIIHH", 3, 1, 8000, 32000, 4, 32) + b"data" + struct.pack("<I", len(data)) + data)
    samples, _ = sounds.from_file(tmp_path / "f.wav")
    octets = sounds.encoded(samples, False, -10.0)
    assert np.abs(g711.decode(octets).astype(int)).max() <= 32256


@pytest.mark.parametrize("before_dbm0", [-35.0, -16.0, -3.0])
def test_a_level_is_met_and_nothing_saturates(before_dbm0: float) -> None:
    at = np.arange(16000) / 8000
    tone = np.sin(2 * np.pi * 700 * at) * g711.PEAK_0DBM0 * 10 ** (before_dbm0 / 20)
    octets = voice.octets_of(tone)
    for wanted in (-30.0, -16.0, -6.0):
        louder = sounds.shaped(octets, 0, 0, False, wanted)
        assert sounds.level_dbm0(louder) == pytest.approx(wanted, abs=0.3)
        assert np.abs(g711.decode(louder).astype(int)).max() <= 32256
    # Speech with a peak: as loud as it can be, and no louder.
    spiky = tone.copy()
    spiky[8000] = 32000
    louder = sounds.shaped(voice.octets_of(spiky), 0, 0, False, -6.0)
    assert np.abs(g711.decode(louder).astype(int)).max() <= 32256


def test_cutting_keeps_the_octets_between_its_soft_ends() -> None:
    octets = np.resize(np.arange(1, 200, dtype=np.uint8), 16000)
    cut = sounds.shaped(octets, 250, 1500, False, None)
    assert cut.size == 8 * 1250 and (cut[40:-40] == octets[2000:12000][40:-40]).all()
    assert (sounds.shaped(octets, 0, 0, False, None) == octets).all()
    for wrong in ((1500, 1500), (-1, 100), (1990, 5000), (2000, 0)):
        with pytest.raises(StateError, match="write a stretch"):
            sounds.shaped(octets, *wrong, False, None)
    with pytest.raises(StateError, match="-40 to -6"):
        sounds.shaped(octets, 0, 0, False, 3.0)


def test_the_program_that_reads_has_little_to_live_on() -> None:
    """Its limits hold before the file is looked at."""
    code = ("import os, resource as r; from appliance.recording.prompts import decoder as d; d._bounded(); "
            "print(r.getrlimit(r.RLIMIT_AS), r.getrlimit(r.RLIMIT_CPU), r.getrlimit(r.RLIMIT_FSIZE), "
            "os.nice(0) >= d.NICE, int(open('/proc/self/oom_score_adj').read()) >= d.OOM_SCORE)")
    done = subprocess.run([*sounds._DECODER[:4], "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(" ".join(map(str, (
        (decoder.MEMORY_OCTETS,) * 2, (decoder.CPU_S,) * 2, (0, 0), True, True))))


def test_one_file_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sounds, "_TURN_S", 0.01)
    (tmp_path / "a").write_bytes(b"%PDF")
    with sounds._ONE, pytest.raises(StateError, match="other files are being read"):
        sounds.from_file(tmp_path / "a")
    with pytest.raises(StateError, match="it is a PDF"):
        sounds.from_file(tmp_path / "a")
