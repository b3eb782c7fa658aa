"""What people took out of use is on the disk."""
from pathlib import Path

import pytest

from appliance.trunk.busy_out import BusyOutFile


def test_it_is_there_after_any_restart(tmp_path: Path) -> None:
    file = BusyOutFile(tmp_path / "busy-out.json")
    file.add("one", {1, 2, 3})
    file.add("two", {31})
    file.remove("one", {2, 9})
    file.remove("two", {31})
    again = BusyOutFile(tmp_path / "busy-out.json")
    assert [sorted(again.timeslots(span)) for span in ("one", "two", "three")] == [[1, 3], [], []]


@pytest.mark.parametrize("damage", ["", "[]", '{"one": 5}', '{"one": ["x"]}', "\0" * 10])
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "busy-out.json"
    path.write_text(damage)
    file = BusyOutFile(path)
    assert file.timeslots("one") == set()
    assert path.with_suffix(".bad").read_text() == damage
    file.add("one", {1})
    assert BusyOutFile(path).timeslots("one") == {1}


def test_what_is_not_on_the_disk_is_not_done(tmp_path: Path) -> None:
    file = BusyOutFile(tmp_path / "gone" / "busy-out.json")
    with pytest.raises(OSError, match="busy-out"):
        file.add("one", {1})
    assert file.timeslots("one") == set()
