"""The way of audio out of the box: octet for octet, and nobody hears what the chain does not know of."""

import io
import random
import wave
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import (
    DescribeRecording,
    GetPeaks,
    GetRecording,
    OpenRecording,
    ReadRecording,
    RecordingOpened,
)
from appliance.config.schema import Config
from appliance.errors import StateError
from appliance.recording.audio import Format, decode
from appliance.recording.catalogue import importing, rows
from appliance.recording.catalogue.learning import AWAY_S
from appliance.recording.catalogue.tickets import GOOD_S
from appliance.recording.finishing import finish
from appliance.recording.store import Store
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, Header
from tests.recording.catalogue.box import Box
from tests.recording.rings import ONE, Feeder, said

pytestmark = pytest.mark.need(6)
NAME = "a" * 32
AUDIO = random.Random(5).randbytes(TICK_OCTETS * 1234)


def opened(box: Box, form: str = "wav", **fields: object) -> RecordingOpened:
    asked = {"recording": NAME, "by": "ann", "purpose": "listen", "form": form, **fields}
    reply = box.answer(OpenRecording(**asked))    # type: ignore[arg-type]
    assert isinstance(reply, RecordingOpened)
    return reply


def read(box: Box, ticket: str, at: int, most: int = 1 << 20) -> bytes:
    octets = box.answer(ReadRecording(ticket=ticket, at=at, most_octets=most)).octets
    assert isinstance(octets, bytes)
    return octets


@pytest.mark.parametrize("format", [Format.FLAC, Format.WAV])
def test_a_wav_is_bit_exact_wherever_it_is_read(box: Box, format: Format) -> None:
    box.finish(NAME, 1000.0, AUDIO, format)
    found = opened(box)
    assert (found.media_type, found.octets) == ("audio/wav", HEAD_OCTETS + len(AUDIO))
    whole = read(box, found.ticket, 0)
    assert whole[HEAD_OCTETS:] == AUDIO and Header.read(whole).ticks == 1234
    chance = random.Random(6)
    for _ in range(40):
        at, most = chance.randrange(len(whole) + 10), chance.randrange(1, 5000)
        assert read(box, found.ticket, at, most) == whole[at:at + most]
    at, parts = 0, []
    while part := read(box, found.ticket, at, 777):
        parts.append(part)
        at += len(part)
    assert b"".join(parts) == whole


def test_as_it_is_kept(box: Box) -> None:
    box.finish(NAME, 1000.0, AUDIO, Format.FLAC)
    found = opened(box, "stored")
    octets = read(box, found.ticket, 0)
    assert found.media_type == "audio/flac" and len(octets) == found.octets
    assert b"".join(decode(Format.FLAC, io.BytesIO(octets))) == AUDIO


def test_each_purpose_is_in_the_chain_before_there_is_a_ticket(box: Box) -> None:
    box.finish(NAME, 1000.0, AUDIO)
    for purpose in ("listen", "download", "share", "replay"):
        opened(box, purpose=purpose, by=f"who wants to {purpose}")
    assert box.chain(NAME) == [
        ("listened", "who wants to listen"), ("downloaded", "who wants to download"),
        ("shared", "who wants to share"), ("replay", "who wants to replay")]


def test_what_is_refused_is_not_in_the_chain(box: Box) -> None:
    for recording, by, why in ((NAME, "ann", "no such recording"), (NAME, " ", "by: who wants it")):
        with pytest.raises(StateError, match=why):
            opened(box, recording=recording, by=by)
    box.finish(NAME, 1000.0, AUDIO)
    path = box.parts.folder / box.row(NAME).path
    octets = bytearray(path.read_bytes())
    octets[-20] ^= 1
    path.write_bytes(octets)
    with pytest.raises(StateError, match=r"damaged, cut off or was changed.*restore it"):
        opened(box)
    path.unlink()
    with pytest.raises(StateError, match="its file is not there: restore it"):
        opened(box)
    assert box.chain(NAME) == []


def test_erased_audio_is_read_by_nobody_who_has_a_ticket(box: Box) -> None:
    box.finish(NAME, 1000.0, AUDIO)
    ticket = opened(box).ticket
    with box.parts.database.write() as connection:
        rows.erase(connection, NAME, "the customer asked for it", 2000.0)
    for _ in range(2):
        with pytest.raises(StateError, match=r"its audio was erased: the customer|no such ticket"):
            read(box, ticket, 0)
    with pytest.raises(StateError, match="its audio was erased: the customer asked for it"):
        opened(box)
    assert box.answer(GetRecording(recording=NAME)).erased == "the customer asked for it"
    assert box.answer(GetPeaks(recording=NAME)).caller == []


def test_one_that_was_heard_without_end_is_still_described(box: Box) -> None:
    box.finish(NAME, 1000.0, AUDIO)
    with box.parts.database.write() as connection:
        for number in range(1200):
            box.parts.chain.append(connection, 1000.0 + number, "listened", NAME, "ann", {})
    entries = box.answer(DescribeRecording(recording=NAME)).entries
    assert (len(entries), entries[-1].at, entries[0].at) == (1000, 2199.0, 1200.0)


def test_one_that_is_erased_while_it_is_written_anew_stays_erased(
        box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feeder, parts = Feeder(tmp_path / "ring"), box.parts
    feeder.write(500, ONE)
    parts.taker.batch(feeder.ring)
    parts.config = Config.model_validate({"spans": [
        {"name": "span1", "url": "virtual:x/b", "side": "user", "trunk": "telco"}]})
    assert finish(parts, ONE, 100.0) is not None
    feeder.write(100, ONE)                        # it comes back
    parts.taker.batch(feeder.ring)
    write = Store.write

    def erased_meanwhile(store: Store, *args: Any) -> Any:
        written = write(store, *args)
        with parts.database.write() as connection:
            rows.erase(connection, ONE, "asked by the customer", 2000.0)
        return written

    monkeypatch.setattr(Store, "write", erased_meanwhile)
    with pytest.raises(StateError, match="was erased while it was written anew"):
        finish(parts, ONE, 100.0)
    assert not (parts.folder / box.row(ONE).path).exists()
    info = finish(parts, ONE, 100.0)
    assert info is not None and info.erased == "asked by the customer"


def test_tickets_end(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.recording.catalogue.tickets.MOST", 5)
    box.finish(NAME, 1000.0, AUDIO)
    first = opened(box).ticket
    box.clock[0] += GOOD_S - 1
    assert read(box, first, 0, 10)
    box.clock[0] += 1
    with pytest.raises(StateError, match="no such ticket, or its hour is over: open the recording again"):
        read(box, first, 0, 10)
    oldest = opened(box).ticket
    for _ in range(5):
        last = opened(box).ticket
    assert read(box, last, 0, 10)
    with pytest.raises(StateError, match="no such ticket"):
        read(box, oldest, 0, 10)


@pytest.mark.parametrize(("at", "most"), [(-1, 10), (0, 0), (0, (1 << 20) + 1)])
def test_a_read_is_bounded(box: Box, at: int, most: int) -> None:
    box.finish(NAME, 1000.0, AUDIO)
    with pytest.raises(StateError, match="most_octets: from 1 to 1048576"):
        read(box, opened(box).ticket, at, most)


def test_one_that_is_being_made_is_heard_as_far_as_it_is_and_goes_on_when_it_is_a_file(
        box: Box, tmp_path: Path) -> None:
    feeder = Feeder(tmp_path / "ring")
    ticks = feeder.write(500, ONE)
    box.parts.taker.batch(feeder.ring)
    with pytest.raises(StateError, match="is being made: take it as wav"):
        opened(box, "stored", recording=ONE)
    found = opened(box, recording=ONE, ticks=400)
    assert not found.info.finished and found.octets == HEAD_OCTETS + 400 * TICK_OCTETS
    octets = read(box, found.ticket, 0)
    heard = b"".join(box.parts.taker.audio(ONE, box.parts.taker.timeline(ONE)))
    assert heard[0::2] == said(ticks, ONE, 0) and octets[HEAD_OCTETS:] == heard[:400 * TICK_OCTETS]
    assert box.chain(ONE) == [("listened", "ann")]
    box.finish(ONE, 1000.0, heard)
    box.parts.taker.release(ONE, box.parts.taker.timeline(ONE).end_tick)
    box.parts.taker.batch(feeder.ring)
    assert not box.parts.taker.is_open(ONE)
    assert read(box, found.ticket, HEAD_OCTETS + 1600, 1600) == heard[1600:3200]


def old_file(box: Box, ticks: int = 1234, declared: int = 1234) -> Path:
    path = box.parts.folder / "2026" / "11" / "01" / f"{NAME}.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(Header(NAME, 77, declared, 5, finished=True).write() + AUDIO[:ticks * TICK_OCTETS])
    return path


def test_a_recording_of_before_is_taken_in_octet_for_octet(box: Box) -> None:
    path = old_file(box)
    box.away = True
    assert importing.tend(box.parts, 2000.0) == 2000.0 + AWAY_S and path.exists()
    box.away = False
    assert importing.tend(box.parts, 2000.0) == 2000.0 + importing.AGAIN_S
    row = box.row(NAME)
    assert (row.duration_ticks, row.gap_ticks, row.first_tick, row.format) == (1234, 5, 77, "flac")
    assert not path.exists() and box.chain(NAME) == [("recorded", "")]
    assert read(box, opened(box).ticket, 0)[HEAD_OCTETS:] == AUDIO
    assert box.warnings == {"import": ""}


def test_killed_before_the_old_file_went_it_goes_the_next_time(box: Box) -> None:
    path = old_file(box)
    octets = path.read_bytes()
    importing.import_old(box.parts, path)
    path.write_bytes(octets)
    importing.import_old(box.parts, path)
    assert not path.exists() and box.chain(NAME) == [("recorded", "")]


def test_an_old_file_that_was_cut_off_is_taken_as_far_as_it_is(box: Box) -> None:
    importing.import_old(box.parts, old_file(box, ticks=600))
    assert box.row(NAME).duration_ticks == 600


def test_what_is_no_recording_or_another_one_stays_and_is_told(box: Box) -> None:
    path = old_file(box)
    box.finish(NAME, 1000.0, AUDIO[:TICK_OCTETS])
    other = path.with_name("b" * 32 + ".wav")
    with wave.open(str(other), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(800))
    importing.tend(box.parts, 2000.0)
    assert path.exists() and other.exists()
    assert "is not the same as what is kept" in box.warnings["import"]
    with pytest.raises(StateError, match="not the head of a recording: move it away"):
        importing.import_old(box.parts, other)
