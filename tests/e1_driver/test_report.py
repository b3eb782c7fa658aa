"""The report as poppler reads and paints it, in both languages."""

import subprocess
from dataclasses import replace
from datetime import timedelta, timezone
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from e1_driver import Alarm, Counters
from e1_driver.testing.report import FRAMES, Report, pdf
from e1_driver.testing.verdict import CHAIN, Evidence, Fault, StepKey, decide
from e1_driver.testing.verdict_texts import LANGUAGES, Language, headline, what_to_do, why
from e1_driver.watch.bins import QUARTER_S, Bin, End
from tests.e1_driver.test_verdict import CLEAN, GONE, LOOPED, LOS, PACKETS, SILENT, evidence

Pixels = npt.NDArray[np.int16]

RED, SES = "b3261e", "e4572e"
CHINA = timezone(timedelta(hours=8))
BEGAN_UNIX_S = 1_700_000_000
SABME, UA = bytes.fromhex("00017f"), bytes.fromhex("000173")
SETUP = bytes.fromhex("0001000008020001 05")


def report(found: Evidence) -> Report:
    return Report(
        verdict=decide(found), box="box-7", site="Pudong 浦东 <A&B>", span="e1-1 (dahdi:1)",
        began_unix_s=BEGAN_UNIX_S, ended_unix_s=BEGAN_UNIX_S + 75, counters=Counters(crc_errors=4711))


def poppler(program: str, octets: bytes, *options: str) -> bytes:
    done = subprocess.run([program, *options], input=octets, capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


def text_of(octets: bytes) -> str:
    """Without the spaces and breaks that layout puts in."""
    return "".join(poppler("pdftotext", octets, "-layout", "-", "-").decode().split())


def squeezed(sentence: str) -> str:
    return "".join(sentence.split())


@pytest.mark.need(12)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("found", [
    evidence(), evidence(LOS, signalling=SILENT, loops={StepKey.OWN_LOOP: CLEAN, StepKey.PORT_PLUG: GONE}),
    evidence(far_loop=LOOPED), evidence(counters=PACKETS, told=frozenset(), packets_lost=3),
], ids=["good", "port", "looped", "packets"])
def test_all_that_the_verdict_says_is_in_it(found: Evidence, language: Language) -> None:
    one = report(found)
    text = text_of(pdf(one, language, CHINA))
    said = [headline(one.verdict, language), *why(one.verdict, language), *what_to_do(one.verdict, language)]
    times = ("2023-11-15 06:13:20 +0800", "2023-11-15 06:14:35 +0800")
    for sentence in (*said, one.box, one.site, one.span, *times):
        assert squeezed(sentence) in text


def test_counters_and_what_the_interface_cannot_tell() -> None:
    octets = pdf(report(evidence(crc_errors=12)), "en")
    lines = poppler("pdftotext", octets, "-layout", "-", "-").decode().splitlines()
    table = {line.strip().split("  ")[0]: line.split()[-2:] for line in lines if "  " in line.strip()}
    assert table["CRC-4 errors"] == ["12", "4711"]
    assert table["code violations"] == ["cannot", "tell"]
    assert table["LOS"][-1] == "none"


def test_the_last_frames_by_name() -> None:
    frames = [(BEGAN_UNIX_S + at / 8, at % 2 == 0, SABME if at % 2 == 0 else UA) for at in range(FRAMES)]
    frames.insert(0, (BEGAN_UNIX_S - 9.0, True, bytes.fromhex("020143")))
    frames[-1] = (BEGAN_UNIX_S + 9.25, False, SETUP + bytes(200))
    text = text_of(pdf(replace(report(evidence()), frames=frames), "en", CHINA))
    assert "06:13:20.125receivedUA000173" in text and "06:13:20.250sentSABME00017f" in text
    assert "06:13:29.250receivedISETUP00010000080200010500" in text and "00..." in text
    assert "020143" not in text


def test_no_frame_is_said_too() -> None:
    assert "Noframewassentorreceived." in text_of(pdf(report(evidence()), "en"))


def painted(octets: bytes, page: int = 1) -> Pixels:
    """int16[height, width, red green blue] at 72 pixels to the inch."""
    png = poppler("pdftoppm", octets, "-r", "72", "-f", str(page), "-l", str(page), "-png", "-")
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(np.int16)


def near(pixels: Pixels, colour: str) -> npt.NDArray[np.bool_]:
    """bool[height, width]: which pixels are about this #rrggbb."""
    wanted = np.array(list(bytes.fromhex(colour)), np.int16)
    return np.asarray((abs(pixels - wanted) < 25).all(axis=2))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("found", "fault"), [
    (evidence(blocks=0), Fault.US), (evidence(LOS), Fault.CABLE), (evidence({Alarm.AIS: 1.0}), Fault.TELCO),
    (evidence(signalling=SILENT), Fault.FAR_END), (evidence(), Fault.NOTHING),
], ids=lambda value: value if isinstance(value, str) else None)
def test_the_guilty_part_of_the_chain_is_red(found: Evidence, fault: Fault, language: Language) -> None:
    pixels = painted(pdf(report(found), language))
    columns = np.flatnonzero(near(pixels, RED).any(axis=0))
    if fault is Fault.NOTHING:
        assert not len(columns)
        return
    quarter = pixels.shape[1] / 4
    place = CHAIN.index(fault)
    assert len(columns) > quarter / 2
    assert (place - 0.2) * quarter < columns.min() and columns.max() < (place + 1.2) * quarter


def test_the_history_s_worst_quarter_stands_out() -> None:
    """Only the far end's third quarter of an hour has severely errored seconds: 900 of them."""
    quarters = [Bin(QUARTER_S * at, QUARTER_S, QUARTER_S, End(QUARTER_S, 0, 0, 0, 0, 0),
                    End(QUARTER_S, 900 * (at == 2), 900 * (at == 2), 0, 0, 0)) for at in range(96)]
    octets = pdf(replace(report(evidence()), quarters=quarters), "zh", CHINA)
    pages = poppler("pdfinfo", octets, "-").decode().split("Pages:")[1].split()[0]
    bars = [near(painted(octets, page), SES) for page in range(1, int(pages) + 1)]
    assert max(int(each.any(axis=1).sum()) for each in bars) >= 40
    assert max(int((each.sum(axis=0) > 20).sum()) for each in bars) <= 8
    assert "最近24小时" in text_of(octets)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_any_name_of_a_site(site: str) -> None:
    octets = pdf(replace(report(evidence()), site=site), "en")
    assert octets.startswith(b"%PDF-") and len(octets) < 60_000
