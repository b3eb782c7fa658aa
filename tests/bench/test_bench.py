"""The report is well-formed and the measuring measures right; how fast anything is, is not tested here."""

import json
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench.figures import Kind, Say, Theme, keep_page, keep_sections, measure
from tests.bench.talk import StampedVoice, delays_s


def quiet(_: str) -> None:
    pass


def theme_of(*values: float, name: str = "made-up") -> Theme:
    """A theme whose runs give `values` in turn."""
    left = iter(values)
    return Theme(name, "How it is measured.", (Kind("made-up figure", "ms", "at most 25"),),
                 lambda say: {"made-up figure": next(left)}, runs=len(values))


def broken(say: Say) -> dict[str, float]:
    raise RuntimeError("the box did not come up")


def test_a_figure_is_the_median_of_its_runs() -> None:
    theme = theme_of(9.0, 1.0, 2.0)
    figure, = measure(theme, theme.runs, quiet)
    assert (figure.name, figure.value, figure.unit, figure.runs) == (
        "made-up figure", 2.0, "ms", [9.0, 1.0, 2.0])


def test_the_page_has_a_row_for_each_figure(tmp_path: Path) -> None:
    theme = theme_of(9.0, 1.0, 1234.5)
    page = tmp_path / "benchmarks.md"
    keep_page([theme], measure(theme, theme.runs, quiet), page)
    text = page.read_text(encoding="utf-8")
    assert "## made-up\n\nHow it is measured.\n" in text
    assert text.splitlines()[-1] == "| made-up figure | 9 | ms | 1 to 1,234 | 3 | at most 25 |"


def test_one_theme_measured_anew_leaves_the_others_on_the_page(tmp_path: Path) -> None:
    themes, page = [theme_of(1.0, name="one"), theme_of(2.0, name="two")], tmp_path / "benchmarks.md"
    keep_page(themes, [figure for theme in themes for figure in measure(theme, 1, quiet)], page)
    before = page.read_text(encoding="utf-8")
    keep_sections(themes, measure(theme_of(3.0, name="two"), 1, quiet), page)
    after = page.read_text(encoding="utf-8")
    kept, _, _ = before.partition("\n## two\n")
    assert after.startswith(kept) and after.count("## ") == 2
    assert "Made by `python -m tests.bench --only two --page` on " in after[len(kept):]
    assert after.splitlines()[-1] == "| made-up figure | 3 | ms | 3 to 3 | 1 | at most 25 |"


def test_programs_find_name_value_unit_runs_and_machine(tmp_path: Path) -> None:
    assert bench.main(["--only", "hdlc", "--runs", "1"], tmp_path) == 0
    figures = json.loads((tmp_path / "build" / "bench.json").read_text(encoding="utf-8"))
    assert len(figures) == 4
    for figure in figures:
        assert figure["value"] == figure["runs"][0] > 0
        assert figure["unit"] == "octets/s" and figure["name"].startswith("HDLC") and figure["machine"]
    assert not (tmp_path / "docs").exists()       # a part of the figures is no page


def test_a_theme_that_fails_takes_only_its_own_figures(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "THEMES", (Theme("bad", "", (Kind("x", "s"),), broken), theme_of(3.0)))
    assert bench.main([], tmp_path) == 1
    figures = json.loads((tmp_path / "build" / "bench.json").read_text(encoding="utf-8"))
    assert [figure["name"] for figure in figures] == ["made-up figure"]
    assert "failed: bad" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def test_no_two_figures_have_one_name() -> None:
    names = [kind.name for theme in bench.THEMES for kind in theme.kinds]
    assert len(names) == len(set(names))


def test_the_delay_is_that_of_the_octets_whatever_their_block() -> None:
    near, far = StampedVoice(1), StampedVoice(2)
    said = bytes(range(240))
    near.spoken = [(1.00, said[:80]), (1.01, said[80:160]), (1.02, said[160:])]
    far.received = [(1.00, bytes([0xD5]) * 80), (1.03, said[40:120]), (1.04, said[120:200])]
    assert delays_s(near, far) == pytest.approx([0.03, 0.03])
