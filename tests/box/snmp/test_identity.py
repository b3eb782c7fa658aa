"""What stations know a box by stays, over starts and changes of its configuration."""

from pathlib import Path

import pytest

from appliance.box.snmp import identity
from appliance.box.snmp.identity import BOOT_S, FILE, MOST_BOOTS, SINCE_UNIX_S, begin


def test_boots_rise_and_a_span_keeps_its_index(tmp_path: Path) -> None:
    first, _ = begin(tmp_path, ["telco1", "pbx1"], 32473, 0.0)
    again, notice = begin(tmp_path, ["new", "pbx1"], 32473, 0.0)
    assert (first.boots, again.boots, notice) == (1, 2, "") and again.engine == first.engine
    assert again.indices == {"telco1": 1001, "pbx1": 1002, "new": 1003}, "none is given twice"
    octets = bytes.fromhex(first.engine)
    assert octets[:5] == b"\x80\x00\x7e\xd9\x80" and len(octets) == 17       # RFC 3411 5
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_two_boxes_are_two(tmp_path: Path) -> None:
    found = {begin(tmp_path / name, [], 1, 0.0)[0].engine for name in "ab"}
    assert len(found) == 2


@pytest.mark.parametrize("octets", [b"", b"{", b'{"engine":"zz","boots":1,"indices":{}}',
                                    b'{"engine":"80","boots":1,"indices":{}}', b"\xff" * 99])
def test_a_damaged_file_is_made_anew_and_said(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / FILE).write_bytes(octets)
    made, notice = begin(tmp_path, ["telco1"], 32473, 0.0)
    assert made.boots == 1 and str(tmp_path / FILE) in notice
    assert begin(tmp_path, ["telco1"], 32473, 0.0)[1] == ""


def test_boots_never_begin_again_under_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = begin(tmp_path, ["telco1"], 32473, 0.0)
    monkeypatch.setattr(identity, "MOST_BOOTS", 2)
    assert begin(tmp_path, ["telco1"], 32473, 0.0)[0].engine == first.engine
    other, _ = begin(tmp_path, ["telco1"], 32473, 0.0)
    assert other.engine != first.engine and other.boots == 1 and other.indices == first.indices
    assert MOST_BOOTS == 0x7FFFFFFF               # RFC 3414 2.2.2


def test_an_older_file_that_is_put_back_begins_no_less_often(tmp_path: Path) -> None:
    """A restore: stations remember the higher number, and believe nobody who has a lower one."""
    now = SINCE_UNIX_S + 500_000 * BOOT_S
    first, _ = begin(tmp_path, ["telco1"], 32473, now)
    older = (tmp_path / FILE).read_bytes()
    for number in range(1, 20):                   # more often than once in BOOT_S for a while
        last, _ = begin(tmp_path, ["telco1"], 32473, now + number)
    assert first.boots == 500_000 and last.boots == 500_019
    (tmp_path / FILE).write_bytes(older)
    restored, _ = begin(tmp_path, ["telco1"], 32473, now + 20 * BOOT_S)
    assert restored.boots > last.boots and restored.engine == first.engine


@pytest.mark.parametrize("unix_s", [0.0, 4e11])
def test_a_clock_that_is_wrong_only_counts(tmp_path: Path, unix_s: float) -> None:
    assert [begin(tmp_path, [], 32473, unix_s)[0].boots for _ in range(2)] == [1, 2]
