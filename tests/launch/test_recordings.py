"""branchline recordings against recordd's own answers, over a real bus."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import DisposeContact, Reply, Request, TagContact
from appliance.errors import StateError
from appliance.launch.cli import main
from appliance.recording.audio import Format
from appliance.recording.catalogue.learning import learn
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, TICKS_PER_S
from tests.recording.catalogue.box import Box, boxes

AUDIO = bytes(range(256)) * (TICK_OCTETS * TICKS_PER_S * 60 // 256)


@pytest_asyncio.fixture
async def box(bus_server: Path, tmp_path: Path) -> AsyncIterator[Box]:
    """With one talk of ann's, recorded, tagged and disposed of, and one that is missing."""
    made = boxes(tmp_path)
    box = next(made)
    contact = box.talk(60.0)
    box.office.command(TagContact(contact=contact, tags=["vip"], by="ann"))
    box.office.hang_up("c1")
    box.office.command(DisposeContact(contact=contact, code="投诉", note="退款很慢", by="ann"))
    box.office.clear()
    box.office.pass_time(30.0)
    box.talk(10.0, "c2")
    box.office.hang_up("c2")
    began_at = box.office.records[contact].segments[-1].began_at
    box.finish(box.named(contact)[0], began_at, AUDIO, Format.FLAC)
    learn(box.parts, 2000.0)
    box.clock[0] = 2000.0

    async def answer(request: Request[Any]) -> Reply:
        try:
            reply: Reply = box.answer(request)
        except StateError as error:
            raise Refused(str(error)) from None
        return reply
    recordd = await Bus.connect(bus_server, "recordd")
    try:
        await recordd.answer(answer)
        yield box
    finally:
        await recordd.close()
        made.close()


async def typed(run_dir: Path, *words: str) -> Result:
    line = ["recordings", *words, "--run-dir", str(run_dir)]
    return await asyncio.to_thread(CliRunner().invoke, main, line)


@pytest.mark.need(6)
async def test_one_is_found_shown_and_fetched_and_that_is_in_its_chain(
        bus_server: Path, box: Box, tmp_path: Path) -> None:
    found = await typed(bus_server, "list", "--text", "退款", "--number", "^138", "--tag", "vip")
    assert found.exit_code == 0, found.output
    head, count = found.output.splitlines()
    assert "1:00" in head and "13800000000 > 5000" in head and "ann" in head and "投诉" in head
    assert count == "1 of 1" and found.exit_code == 0
    assert (await typed(bus_server, "list", "--agent", "bo")).output == "0 of 0\n"
    name = head.split()[0]
    place = tmp_path / "one.wav"
    taken = await typed(bus_server, "play-file", name, "--to", str(place), "--by", "auditor")
    assert taken.exit_code == 0 and place.read_bytes()[HEAD_OCTETS:] == AUDIO
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    shown = (await typed(bus_server, "show", name)).output
    assert "note" in shown and "退款很慢" in shown and "telco" in shown
    [entry] = [line for line in shown.splitlines() if "downloaded" in line]
    assert entry.split()[2:4] == ["downloaded", "auditor"]
    kept = await typed(bus_server, "play-file", name, "--to", str(tmp_path / "one.flac"))
    assert kept.exit_code == 0 and (tmp_path / "one.flac").read_bytes()[:4] == b"fLaC"


@pytest.mark.parametrize(("words", "code", "said"), [
    (["list", "--number", "1"], 69, "number: '1' is no part of a number"),
    (["list", "--from", "20:00:30", "--to", "20:00"], 2, "is not before --to"),
    (["list", "--longer-than", "2m", "--shorter-than", "1m"], 2, "--longer-than: is more"),
    (["show", "e" * 32], 69, "no such recording, or it is not finished yet"),
    (["play-file", "e" * 32, "--to", "x.mp3"], 2, "a name that ends in .wav, .opus, .flac"),
    (["play-file", "e" * 32, "--to", "{folder}/x.wav"], 69, "no such recording"),
    (["play-file", "{name}", "--to", "{folder}/x.opus"], 64, "it is kept as flac: take {folder}/x.wav or"),
])
async def test_what_cannot_be_is_said_and_leaves_nothing(
        bus_server: Path, box: Box, tmp_path: Path, words: list[str], code: int, said: str) -> None:
    [place] = box.parts.folder.glob("*/*/*/*.blr")
    found = await typed(bus_server, *(word.format(folder=tmp_path, name=place.stem) for word in words))
    assert (found.exit_code, said.format(folder=tmp_path) in found.output) == (code, True), found.output
    assert not list(tmp_path.glob("x.*"))
    assert "downloaded" not in [kind for kind, _ in box.chain(place.stem)]         # for nothing was


@pytest.mark.need(21)
async def test_the_count_names_what_is_missing(bus_server: Path, box: Box) -> None:
    counted = await typed(bus_server, "check", "--from", "1970-01-01 00:00:00+00:00", "--to",
                          "1970-01-01 00:33:00+00:00")
    assert counted.exit_code == 1
    lines = counted.output.splitlines()
    assert lines[-1] == "2 to be recorded = 1 there + 0 explained + 1 missing"
    assert lines[2].split()[0] == "missing" and "talk 10.00 s" in lines[2]
    [place] = box.parts.folder.glob("*/*/*/*.blr")
    assert "as described in the chain" in (await typed(bus_server, "show", place.stem)).output
    kept = await typed(bus_server, "check", "--kept", "--from", "1970-01-01 00:00:00+00:00", "--to",
                       "1970-01-01 00:33:00+00:00")
    assert kept.output == counted.output
    with box.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE recordings SET agent = 'bo'")           # by whom it may be
    assert "ALTERED" in (await typed(bus_server, "show", place.stem)).output
    counted = await typed(bus_server, "check", "--from", "1970-01-01 00:00:00+00:00", "--to",
                          "1970-01-01 00:33:00+00:00")
    assert any(line.split()[:2] == ["altered", place.stem] for line in counted.output.splitlines())
