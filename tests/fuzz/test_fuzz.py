"""The harness finds what it is made for, and every decoder stands a short run."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import run as harness
from tests.fuzz.__main__ import main
from tests.fuzz.mutate import inputs
from tests.fuzz.run import Hang, run
from tests.fuzz.targets import TARGETS, Target, load

INPUTS = 300


@pytest.mark.parametrize("name", TARGETS)
def test_short_run(name: str, tmp_path: Path) -> None:
    target = load(name)
    assert target.corpus
    failure = run(target, round(INPUTS * target.share), seed=1, folder=tmp_path)
    if failure:
        raise failure.error


def test_inputs_are_the_corpus_then_near_it_then_noise_and_the_same_for_a_seed() -> None:
    corpus = [b"an example", bytes(300)]
    first, again = (list(islice(inputs(corpus, 7, 500), 3_000)) for _ in range(2))
    assert first == again
    assert first[:2] == corpus
    assert max(map(len, first)) == 500
    assert sum(b"exam" in data for data in first) > 500
    assert len(set(first)) > 2_500
    assert list(islice(inputs(corpus, 8, 500), 100)) != first[:100]


def careless(data: bytes) -> None:
    """Reads a length and believes it."""
    if len(data) > 2 and data[0] == 0x7E:
        data[2 + data[1]]


def test_a_careless_decoder_is_found_and_its_input_kept_and_tried_first(tmp_path: Path) -> None:
    target = Target("careless", careless, [b"\x7e\x02abc"])
    failure = run(target, 10_000, 3, tmp_path)
    assert failure
    assert isinstance(failure.error, IndexError)
    assert bytes.fromhex(failure.kept.read_text()) == failure.data
    again = run(target, 0, 4, tmp_path)
    assert again
    assert again.data == failure.data


def test_a_decoder_that_does_not_end_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "HANG_S", 0.05)

    def endless(data: bytes) -> None:
        while b"\x00" in data:
            pass

    failure = run(Target("endless", endless, [b"\x01", b"\x00"]), 10, 1, tmp_path)
    assert failure
    assert isinstance(failure.error, Hang)
    assert failure.data == b"\x00"


@pytest.fixture
def one_target(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tests.fuzz.parts.load", lambda name: Target(name, careless, [b"\x7e\x09"]))
    yield


@pytest.mark.usefixtures("one_target")
def test_command_prints_the_input_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "hdlc", "--inputs", "2000", "--seed", "1"], tmp_path) == 1
    said = capsys.readouterr().out
    kept, = tmp_path.glob("hdlc.*.hex")
    assert kept.read_text() in said
    assert "failed: hdlc" in said
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])


def test_command_of_a_sound_decoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "e1d", "--inputs", "500", "--seed", str(Random(1).randrange(99))], tmp_path) == 0
    assert "e1d: 500 inputs in" in capsys.readouterr().out
