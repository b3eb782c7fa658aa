"""branchline quality against recordd's own answers, over a real bus."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import PublishQualityForm, Reply, Request
from appliance.errors import StateError
from appliance.launch.cli import main
from appliance.recording.quality import worklists
from tests.recording.quality.box import FORM, MONDAY, Box, make_box

SHEET = """\
answers: {greeting: 1, verified: %s, listens: 3, solves: na}
remarks:
  - {item: listens, at: "0:42", text: interrupts}
  - {text: friendly}
"""
SAMPLING = """\
  sampling:
    - {name: weekly, form: service, period: week, per_agent: 1}
"""


@pytest_asyncio.fixture
async def box(bus_server: Path, tmp_path: Path) -> AsyncIterator[Box]:
    (tmp_path / "box").mkdir()
    made = make_box(tmp_path / "box", SAMPLING)
    made.clock[0] = MONDAY + 5 * 86400
    made.ask(PublishQualityForm(name="service", by="sun"))

    async def answer(request: Request[Any]) -> Reply:
        try:
            reply: Reply = made.ask(request)
        except StateError as error:
            raise Refused(str(error)) from None
        return reply
    recordd = await Bus.connect(bus_server, "recordd")
    try:
        await recordd.answer(answer)
        yield made
    finally:
        await recordd.close()
        made.parts.database.close()


async def typed(run_dir: Path, *words: str, keys: str = "") -> Result:
    line = ["quality", *words, "--run-dir", str(run_dir)]
    return await asyncio.to_thread(CliRunner().invoke, main, line, input=keys)


async def output(run_dir: Path, *words: str, keys: str = "") -> str:
    found = await typed(run_dir, *words, keys=keys)
    assert found.exit_code == 0, found.output
    return found.output


async def test_from_the_worklist_to_the_decided_appeal(bus_server: Path, box: Box, tmp_path: Path) -> None:
    recording = box.record(1, began_at=MONDAY + 3600)
    worklists.tend(box.parts, box.clock[0])
    listed = await output(bus_server, "worklist", "--whose", "all", "--by", "sun")
    assert recording in listed
    assert "weekly 2026-W40: of zhao 0 of 1: there are no more calls" in listed
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text(SHEET % 0)
    done = await output(bus_server, "score", recording, "--form", "service", "--file", str(sheet),
                        "--by", "chen")
    assert done.split()[-3:] == ["submitted", "0.0", "failed"]
    assert "none" in await output(bus_server, "list", "--by", "zhao")
    assert "submitted" in await output(bus_server, "list", "--by", "li2")
    await output(bus_server, "appeal", "1", "--text", "he said it at 0:42", "--by", "li2")
    refused = await typed(bus_server, "decide", "1", "--text", "no", "--by", "chen")
    assert refused.exit_code == 69 and "another person than the scorer" in refused.output
    sheet.write_text(SHEET % 1)
    await output(bus_server, "decide", "1", "--text", "he did", "--file", str(sheet), "--by", "sun")
    await output(bus_server, "acknowledge", "1", "--by", "li2")
    shown = await output(bus_server, "show", "1", "--by", "li2")
    assert "acknowledged    66.7  failed" in shown
    assert "0:42  interrupts" in shown and "friendly" in shown
    assert "he said it at 0:42" in shown and "change (revision 2) 66.67  he did" in shown
    assert "0.0" not in (await output(bus_server, "show", "1", "--revision", "1", "--by", "li2")).split()[-1]


async def test_item_by_item_with_slips_of_the_hand(bus_server: Path, box: Box) -> None:
    recording = box.record(1)
    keys = "\n".join(["maybe", "yes", "", "na", "no", "did not ask", "6", "4", "", "na", ""]) + "\n"
    asked = await output(bus_server, "score", recording, "--form", "service", "--by", "chen", keys=keys)
    assert "Verifies who calls (fatal)" in asked
    assert asked.count("Error: ") == 3            # maybe; na where it may not be; 6 of 5
    shown = await output(bus_server, "show", "1", "--by", "chen")
    assert "did not ask" in shown and "fatal" in shown
    again = await output(bus_server, "revise", "1", "--by", "chen", keys="\n\nyes\n\n\n\n\n\n")
    assert "submitted" in again and "83.3  passed" in again


async def test_a_calibration_a_note_and_a_report(bus_server: Path, box: Box, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text(SHEET % 1)
    begun = await output(bus_server, "calibrate", box.record(1), "--form", "service",
                         "--scorers", "chen, wang", "--by", "sun")
    assert begun == "calibration 1: waits for chen, wang\n"
    for by in ("chen", "wang"):
        text = await output(bus_server, "calibration", "1", "--file", str(sheet), "--by", by)
    assert "listens" in text and "100 %" in text
    agree = await output(bus_server, "agreement", "service", "--from", "2026-09-01", "--to", "2026-12-31",
                         "--by", "sun")
    assert agree.startswith("1 calibrations with service")
    await output(bus_server, "note", "li", "--text", "well done", "--recording", f"{1:032x}", "--at", "1:02",
                 "--by", "chen")
    assert "not read yet     well done" in await output(bus_server, "notes", "--by", "li2")
    await output(bus_server, "score", box.record(2), "--form", "service", "--file", str(sheet), "--by", "sun")
    report = await output(bus_server, "report", "item", "--from", "2026-10-01", "--to", "2026-10-31",
                          "--by", "sun")
    assert report.splitlines()[2].split()[:3] == ["service/listens", "1", "50.0"]
    appraisal = await output(bus_server, "appraisal", "li", "--from", "2026-10-01", "--to", "2026-10-31",
                             "--by", "sun")
    assert "(1 x 66.7) / 1 = 66.7" in appraisal


async def test_forms_are_checked_without_a_box_and_published_at_one(
        bus_server: Path, box: Box, tmp_path: Path) -> None:
    folder = box.parts.folder
    checked = await asyncio.to_thread(CliRunner().invoke, main, [
        "quality", "forms", "check", "--config", str(folder / "box.yaml")])
    assert checked.output == f"{folder}/forms/service.yaml: in order: 4 items, 1 of them fatal\n"
    assert "its file is published" in await output(bus_server, "forms")
    (folder / "forms" / "service.yaml").write_text(FORM.replace("weight: 2\n", "weight: 3\n"))
    assert "its file is changed" in await output(bus_server, "forms")
    assert "version 2 is published" in await output(bus_server, "forms", "publish", "service", "--by", "sun")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(FORM.replace("kind: scale", "kind: stars"))
    refused = await asyncio.to_thread(CliRunner().invoke, main, ["quality", "forms", "check", str(wrong)])
    assert refused.exit_code == 78 and f"{wrong}:12: sections[1].items[0].kind: " in refused.output


@pytest.mark.parametrize(("text", "says"), [
    ("answers: {greeting: often}", ":1: answers.greeting: a number, or na"),
    ("answer: {}", ":1: answer: no such key"),
    ("answers: {}\nremarks: [{text: x, at: later}]", ":2: remarks[0].at: "),
])
async def test_a_sheet_that_is_wrong_is_named(
        bus_server: Path, box: Box, tmp_path: Path, text: str, says: str) -> None:
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text(text)
    refused = await typed(bus_server, "score", box.record(1), "--form", "service", "--file", str(sheet),
                          "--by", "chen")
    assert refused.exit_code == 78 and says in refused.output
