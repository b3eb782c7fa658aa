"""People of the demonstration, in a hurry; and the command line, as a person uses it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hil_tests.instruments import audio, speech
from hil_tests.instruments.demo import Agents, Callers, People
from hil_tests.instruments.line import InstrumentError
from tests.hil_tests.conftest import Pair

EXCHANGE = [sys.executable, "-m", "hil_tests.instruments", "exchange", "--line"]
HURRIED = Callers(
    ("6001", "6002"), per_minute=1200, key_after_s=(0.1, 0.2), talk_s=(0.4, 0.5), give_up=0, calls=4)


def test_callers_press_a_key_and_agents_speak(pair: Pair) -> None:
    stop = threading.Event()
    outside, inside = People(pair.telco, 1, stop), People(pair.pbx, 2, stop)
    outside.prepare("caller")
    inside.prepare("agent")
    inside.answer_inside(Agents(ring_s=(0.0, 0.1), busy=0, no_answer=0))
    outside.call_in(HURRIED)
    pair.pbx.hang_up_all()                        # the last RELEASE COMPLETE may be on its way
    calls = list(pair.telco.past)
    assert len(calls) == 4 and pair.telco.calls == []
    talked = [call for call in calls if call.event("CONNECT")]
    assert talked and all(call.event("RELEASED").cause in (16, 17) for call in calls)    # type: ignore[union-attr]
    others = [call for call in pair.pbx.past if call.cause == 16]
    assert {call.heard_keys() for call in others} <= {"1", "2"} and len(others) == len(talked)
    assert all(audio.level_dbm0(call.heard()) > -45 for call in [*talked, *others])


def test_agents_dial_out_and_somebody_answers(pair: Pair) -> None:
    stop = threading.Event()
    outside, inside = People(pair.telco, 1, stop), People(pair.pbx, 2, stop)
    outside.prepare("answerer")
    outside.answer_outside()
    inside.prepare("agent")
    agents = Agents(extensions=("8001",), outbound_per_minute=1200)
    dialling = threading.Thread(target=inside.call_out, args=(agents,))
    dialling.start()
    with pair.telco.condition:
        assert pair.telco.condition.wait_for(lambda: pair.telco.calls, 5)
    call = pair.telco.calls[0]
    stop.set()
    with pair.pbx.condition:
        pair.pbx.condition.notify_all()
    pair.pbx.hang_up_all()
    dialling.join(5)
    assert (call.calling, len(call.called), call.called[0]) == ("8001", 9, "9")


def test_speech_is_kept_and_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("caller", "agent", "answerer"):
        assert len({text.voice[:2] for text in speech.texts(who)}) == 2          # Chinese and English
    text = speech.Text("One two three.")
    octets = speech.said(text, tmp_path)
    assert 0.5 < len(octets) / audio.RATE_HZ < 5 and -35 < audio.level_dbm0(octets) < -10
    monkeypatch.setenv("PATH", "")
    assert (speech.said(text, tmp_path) == octets).all()
    with pytest.raises(InstrumentError, match="espeak-ng is missing"):
        speech.said(speech.Text("Four."), tmp_path)


def test_call_and_serve_from_the_command_line(tmp_path: Path) -> None:
    line = f"virtual:{tmp_path}/line"
    serve = subprocess.Popen(
        [*EXCHANGE, f"{line}/b", "--side", "user", "serve", "--answer-after", "0.1", "--say", "Who is there?",
         "--record", tmp_path / "rec", "--busy", "17"], stdout=subprocess.PIPE, text=True)
    try:
        called = subprocess.run(
            [*EXCHANGE, f"{line}/a", "call", "5001", "--calling", "123", "--digits", "42#", "--digits-after",
             "0.2", "--hold", "1", "--record", tmp_path / "heard.wav"],
            capture_output=True, text=True, check=True, timeout=60)
        busy = subprocess.run(
            [*EXCHANGE, f"{line}/a", "call", "17"], capture_output=True, text=True, check=False, timeout=60)
    finally:
        serve.terminate()
        said, _ = serve.communicate(timeout=20)
    assert [row.split()[2] for row in called.stdout.splitlines()] == [
        "SETUP", "PROCEEDING", "ALERTING", "CONNECT", "RELEASED"]
    assert (busy.returncode, serve.returncode) == (1, 0)
    assert "RELEASED (17)" in busy.stderr
    assert "123 calls 5001" in said and "cause 16, cleared by far" in said
    assert audio.dtmf_keys(audio.read_sound(tmp_path / "rec" / "1-123-5001.wav")) == "42#"
    assert audio.level_dbm0(audio.read_sound(tmp_path / "heard.wav")) > -35


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["nonsense:x", "serve"], 1, "unknown span URL 'nonsense:x'"),
    (["virtual:/proc/no/a", "serve"], 69, "cannot listen"),
    (["virtual:x/a", "call", "1", "--digits", "1x"], 1, "'x' is not a DTMF key"),
    (["virtual:x/a", "bulk", "--calls", "0"], 2, "--calls"),
])
def test_a_wrong_command_is_one_clear_error(
        arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([*EXCHANGE, *arguments], capture_output=True, text=True, check=False, timeout=60,
                          cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root)})
    assert done.returncode == code
    assert words in done.stderr and "Traceback" not in done.stderr
