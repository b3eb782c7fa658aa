"""From the journal to a file, when things come in another order than they should."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.client import BusError
from appliance.bus.messages import GetRecordingFacts, RecordedFacts, RecordingFacts, Request
from appliance.config.schema import Config
from appliance.errors import StateError
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.described import describe, is_described
from appliance.recording.catalogue.rows import Recording
from appliance.recording.finishing import PATIENCE_S, finish
from appliance.recording.journal.journal import Journal
from appliance.recording.journal.taker import END_TICKS, Taker
from appliance.recording.vault.chain import page
from tests.recording.power.subject import build
from tests.recording.power.test_power import heard, spoken
from tests.recording.rings import ONE, Feeder

pytestmark = pytest.mark.need(5)


class Box:
    """recordd's parts without its loops; acdd says `facts` of whatever it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.feeder = Feeder(folder / "ring")
        self.config = Config.model_validate({
            "spans": [{"name": "a", "url": "virtual:/tmp/a", "side": "user", "trunk": "a"}]})
        self.parts = build(folder, self.config)
        self.parts.ask = self._ask
        self.facts: dict[str, Any] | None = {"format": "original"}

    def _ask(self, request: Request[Any], timeout_s: float = 2.0) -> Any:
        assert isinstance(request, GetRecordingFacts)
        if self.facts is None:
            raise BusError("acdd is not there")
        return RecordedFacts(seq=1, changed=[], changed_to=1, facts=[RecordingFacts(**{
            "recording": request.recordings[0], **self.facts})])

    def said(self, ticks: int) -> range:
        """One speaks, and ends."""
        spoken_ = self.feeder.write(ticks, ONE)
        self.feeder.write(END_TICKS)
        assert self.parts.taker.batch(self.feeder.ring) == [ONE]
        return spoken_

    def forget(self) -> None:
        """The journal lets go of what is finished."""
        self.feeder.write(1)
        assert self.parts.taker.batch(self.feeder.ring) == []

    @property
    def row(self) -> Recording | None:
        with self.parts.database.read() as connection:
            return rows.get(connection, ONE)

    @property
    def chained(self) -> list[str]:
        with self.parts.database.read() as connection:
            return [one.kind for one in page(connection)]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.parts.taker.close()
    box.parts.database.close()


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_who_is_told_twice_that_it_ended_finishes_it_once(box: Box) -> None:
    box.said(50)
    assert finish(box.parts, ONE, 0.0) is not None
    assert finish(box.parts, ONE, 0.0) is None    # the journal had it still when the next batch was looked at
    box.forget()
    assert finish(box.parts, ONE, 0.0) is None
    assert box.chained == ["recorded"]


@pytest.mark.parametrize("forgotten", [True, False])
def test_one_that_came_back_is_written_again_with_what_is_new_behind_it(box: Box, forgotten: bool) -> None:
    first = box.said(50)
    assert finish(box.parts, ONE, 0.0) is not None
    before = box.row
    assert before is not None
    with box.parts.database.write() as connection:
        describe(connection, box.parts.chain, 0.0, before.number, first=True)
    if forgotten:
        box.forget()
    second = box.said(30)
    info = finish(box.parts, ONE, 0.0)
    silent = second.start - first.stop
    assert info is not None
    assert (info.duration_s, info.gap_s) == ((80 + silent) / 100, silent / 100)
    audio = heard(box.parts, ONE)
    assert audio.startswith(spoken(ONE, (first,)))
    assert audio.endswith(spoken(ONE, (second,)))
    assert len(audio) == (80 + silent) * 160
    with box.parts.database.read() as connection:
        assert is_described(connection, before.number)


def test_a_file_that_the_catalogue_could_not_be_told_of_is_written_again(
        box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    first = box.said(50)
    assert finish(box.parts, ONE, 0.0) is not None
    box.forget()
    second = box.said(30)
    with monkeypatch.context() as patch:
        patch.setattr("appliance.recording.catalogue.rows.replace", full)
        with pytest.raises(OSError, match="No space"):
            finish(box.parts, ONE, 0.0)           # the file is the longer one by now, the row the shorter
    assert finish(box.parts, ONE, 0.0) is not None
    assert len(heard(box.parts, ONE)) == (second.stop - first.start) * 160


@pytest.mark.parametrize("facts", [
    None, {"format": "cassette"}, {"recording": "22" * 16, "unwanted": True}, {"contact": "c"}])
def test_whatever_acdd_says_or_does_not_say_it_is_finished(box: Box, facts: dict[str, Any] | None) -> None:
    ticks = box.said(50)
    box.facts = facts
    finish(box.parts, ONE, 0.0)
    finish(box.parts, ONE, PATIENCE_S)
    box.forget()
    assert box.row is not None
    assert box.row.duration_ticks == len(ticks)


def test_nothing_is_left_of_one_that_nobody_kept_after_all(
        box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.said(50)
    with monkeypatch.context() as patch:
        patch.setattr("appliance.recording.catalogue.rows.add", full)
        with pytest.raises(OSError, match="No space"):
            finish(box.parts, ONE, 0.0)
    assert len(list(box.parts.folder.rglob("*.blr"))) == 1
    box.facts = {"unwanted": True, "final": True}
    assert finish(box.parts, ONE, 0.0) is not None
    assert list(box.parts.folder.rglob("*.blr")) == []
    assert box.chained == ["discarded"]
    box.parts.taker = Taker(Journal(box.parts.folder / "journal", box.parts.keys, lambda: 0), lambda _: None)
    assert box.parts.taker.is_open(ONE)
    finish(box.parts, ONE, PATIENCE_S)            # started anew, with a journal that has it still
    assert box.chained == ["discarded"]


def test_a_stop_does_not_wait_for_a_long_recording(box: Box) -> None:
    box.said(1000)
    box.parts.stopping.set()
    with pytest.raises(StateError, match="finished at its next start"):
        finish(box.parts, ONE, 0.0)
    box.parts.stopping.clear()
    assert list(box.parts.folder.rglob("*.blr*")) == []
    assert finish(box.parts, ONE, 0.0) is not None
