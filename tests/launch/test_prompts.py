"""Prompts as soxi reads them, and that the demonstration has all that its flow and its queues say."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from appliance.centre import announce, heard
from appliance.centre.flow import load_flow
from appliance.errors import ConfigError
from appliance.launch import music, prompts
from appliance.launch.cli import main
from appliance.launch.demo_box import CATALOGUE, exchanges, lay_out
from appliance.launch.place import CannotStart
from appliance.launch.up import check
from appliance.media import speech
from appliance.media.prompts import Library
from appliance.span.sounds import Sounds

SAID = {                                          # a value of each kind
    "number": "-1234567.89", "digits": "0755-86521100*#", "ordinal": "42", "position": "13", "time": "14:05",
    "date": "2026-11-22", "amount": "128.55", "duration": "93784"}


def soxi(path: Path) -> tuple[str, str, str]:
    def ask(option: str) -> str:
        done = subprocess.run(["soxi", option, str(path)], capture_output=True, check=True, text=True)
        return done.stdout.strip()
    return ask("-e"), ask("-r"), ask("-c")


def catalogue(folder: Path, text: str) -> Path:
    path = folder / "prompts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_prompts_are_alaw_and_only_changed_ones_are_made_again(tmp_path: Path) -> None:
    out = tmp_path / "prompts"
    first = catalogue(tmp_path, '[zh]\ngreeting = "您好"\n"number/1" = "一"\n[en]\ngreeting = "Hello"\n')
    made = prompts.build(first, out)
    assert {"zh/greeting", "zh/number/1", "en/greeting", "en/number/12", "music/default"} < set(made)
    assert len(made) > 100 and not any("currency" in name for name in made)
    for name in ("zh/greeting", "zh/number/1", "en/greeting", "music/default"):
        assert soxi(out / f"{name}.wav") == ("A-law", "8000", "1")
    assert len({(out / f"{name}.wav").read_bytes() for name in ("zh/greeting", "en/greeting")}) == 2
    assert prompts.build(first, out) == []
    changed = catalogue(tmp_path, '[zh]\ngreeting = "再见"\n"number/1" = "一"\n[en]\ngreeting = "Hello"\n')
    before = (out / "zh/greeting.wav").read_bytes()
    assert prompts.build(changed, out) == ["zh/greeting"]
    assert (out / "zh/greeting.wav").read_bytes() != before
    (out / "music/default.wav").unlink()
    assert prompts.build(changed, out) == ["music/default"]


def test_a_recording_of_somebody_elses_stays(tmp_path: Path) -> None:
    own = tmp_path / "prompts" / "en" / "number" / "7.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"spoken in a studio")
    text = catalogue(tmp_path, '[en]\ngreeting = "Hello"\n')
    for _ in range(2):
        assert "en/number/7" not in prompts.build(text, tmp_path / "prompts")
    assert own.read_bytes() == b"spoken in a studio"


def test_every_word_of_the_grammars_is_built_and_what_is_gone_is_listed_with_its_text(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "demo", tmp_path / "run")
    out = tmp_path / "demo" / "prompts"
    prompts.build(CATALOGUE, out, ["CNY"])
    assert prompts.missing(out, prompts.vocabulary(["CNY"])) == {}
    sounds = Sounds(Library(out), "cn")
    for language in speech.LANGUAGES:
        values = [f"{kind}/{language}:{value}" for kind, value in SAID.items()]
        sound, wrong = sounds.compile(values, False)
        assert sound is not None and sound.octets.size > 10 * 8000 and wrong == ""
    (out / "zh" / "number" / "liang.wav").unlink()
    (out / "en" / "time" / "pm.wav").write_bytes(b"")
    listed = CliRunner().invoke(main, ["prompts", "vocabulary", "--config", str(path)])
    assert listed.output == "zh/number/liang\t两\nen/time/pm\tp.m.\n"
    every = CliRunner().invoke(
        main, ["prompts", "vocabulary", "--config", str(path), "--language", "en", "--all"])
    assert len(every.output.splitlines()) == len(speech.vocabulary("en", ["CNY"]))


def test_a_recording_that_a_flow_needs_and_that_is_missing_is_told_with_its_text(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "demo", tmp_path / "run")
    (tmp_path / "demo" / "main.yaml").write_text(
        "start: a\nnodes: {a: {kind: play, prompt: ['amount:2 USD'], next: b}, b: {kind: hangup}}\n")
    with pytest.raises(ConfigError) as error:
        check(path)
    said = [line for line in str(error.value).splitlines() if "; it says: " in line]
    assert [line.rpartition("; it says: ")[2] for line in said] == ["美元", "两"]
    assert "zh/number/liang.wav: No such file or directory: record it" in said[1]


@pytest.mark.parametrize(("text", "lines"), [
    ("[zh\n", ["Expected ']'"]),
    ('[xx]\na = "b"\n', ["xx: no language: write tables zh, en"]),
    ('[zh]\nA = "b"\n"../up" = "c"\nempty = " "\nnumber = 3\n', [
        "zh: 'A': write small letters", "zh: '../up': write small letters",
        "zh: empty: write its text in quotes", "zh: number: write its text in quotes"]),
])
def test_a_wrong_catalogue_is_a_line_for_each_mistake(tmp_path: Path, text: str, lines: list[str]) -> None:
    path = catalogue(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        prompts.build(path, tmp_path / "out")
    said = str(error.value).splitlines()
    assert len(said) == len(lines)
    for got, expected in zip(said, lines, strict=True):
        assert got.startswith(f"{path}: ")
        assert expected in got
    assert not (tmp_path / "out").exists()


def test_a_missing_program_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = catalogue(tmp_path, '[en]\ngreeting = "Hello"\n')
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match=r"^espeak-ng is not installed: apt-get install") as error:
        prompts.build(path, tmp_path / "out")
    assert error.value.code == 69


def test_music_has_its_level_and_no_seam() -> None:
    melody = music.on_hold().astype(float)
    assert melody.size >= 20 * music.SAMPLES_PER_S
    sine_dbfs = 20 * np.log10(np.sqrt(np.mean(melody ** 2)) / (32768 / np.sqrt(2)))
    assert sine_dbfs + music.FULL_SCALE_DBM0 == pytest.approx(-15, abs=0.1)
    steps = np.abs(np.diff(melody))
    seam = abs(melody[0] - melody[-1])
    assert seam <= np.percentile(steps, 99)
    assert np.abs(melody).max() < 32767


def test_the_demonstration_is_complete(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "demo", tmp_path / "run")
    config = check(path, with_prompts=False)
    texts, spoken = prompts.load(CATALOGUE), prompts.vocabulary([config.media.currency])
    flow = load_flow(tmp_path / "demo" / "main.yaml", None)
    for language in flow.languages | {"en"}:
        said = {fragment.removeprefix("prompt:") for place in range(1, announce.MOST + 1)
                for fragment in announce.position(language, place)}
        assert len(said) > 10 and said <= spoken.keys()
    names = heard.prompts([flow], config.centre.queues, config.media, ["zh", "en"]) | heard.promised(
        config.centre, ["zh", "en"])
    assert names - {prompts.MUSIC} <= texts.keys() | spoken.keys()
    assert {queue.music for queue in config.centre.queues} == {prompts.MUSIC}
    assert [agent.extension for agent in config.centre.agents] == ["801", "802", "803", "804"]


def test_what_somebody_changed_in_the_demonstration_stays(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "demo", tmp_path / "run")
    (tmp_path / "demo" / "main.yaml").write_text("mine")
    path.write_text(path.read_text().replace("port: 8080", "port: 8099"))
    assert "port: 8099" in lay_out(tmp_path / "demo", tmp_path / "run").read_text()
    assert (tmp_path / "demo" / "main.yaml").read_text() == "mine"


def test_the_exchanges_sit_at_the_far_ends(tmp_path: Path) -> None:
    config = check(lay_out(tmp_path / "demo", tmp_path / "run"), with_prompts=False)
    telco, pbx = (" ".join(program.argv) for program in exchanges(config, tmp_path, 1))
    assert f"--called 5001 --later 9 --rates 12345 --line virtual:{tmp_path}/run/telco/a --cache" in telco
    assert f"--extension 803 --extension 804 --line virtual:{tmp_path}/run/pbx/a --cache" in pbx
