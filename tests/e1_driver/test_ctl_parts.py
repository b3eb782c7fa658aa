"""Parts of e1ctl that a whole run does not show: the disk beside the line, whose error an error is."""

from pathlib import Path
from threading import Event

import pytest

from e1_driver.ctl import bert, history
from e1_driver.ctl.cli import _written
from e1_driver.ctl.history import Saver
from e1_driver.watch.bins import DAY_S
from e1_driver.watch.history import Store, read
from tests.e1_driver.lines import line

NOON = 1_773_230_400


class SlowDisk(Store):
    """Its first save takes until `written`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, save_every_s=0.0)
        self.begun, self.written, self.saves = Event(), Event(), 0

    def save(self) -> bool:
        self.saves += 1
        self.begun.set()
        assert self.written.wait(30)
        return super().save()


def test_a_slow_disk_does_not_hold_the_line_up_and_is_waited_for_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "lines.sqlite"
    with SlowDisk(path) as store:
        with Saver(store) as saver:
            for number, second in enumerate(line(NOON, "e" * 20)):
                store.observe("t", second, None)
                saver.tick(float(number), NOON + number)
                assert store.begun.wait(30)       # the save goes on, and we are here
            saves = store.saves
            store.written.set()
        assert (saves, store.saves, store.trouble) == (1, 1, None)
    assert [one.measured_s for one in read(path)["t"].days(NOON)] == [20]


def test_only_the_files_own_errors_are_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="the line"), _written(tmp_path / "d.pcap", "-o") as file:
        file.write(b"kept")
        raise OSError("the line is gone")
    assert (tmp_path / "d.pcap").read_bytes() == b"kept"
    for path, text in ((Path("/dev/full"), "No space left on device"),
                       (tmp_path / "no" / "d.pcap", "No such file or directory")):
        with pytest.raises(SystemExit) as ended, _written(path, "-o") as file:
            file.write(b"1")
        assert ended.value.code == 73
        assert f"{path}: {text}: choose another file with -o" in capsys.readouterr().err


def test_slips_are_told_by_clock_source_with_their_category(tmp_path: Path) -> None:
    path = tmp_path / "lines.sqlite"
    with Store(path) as store:
        for number, second in enumerate(line(NOON, "." * 10)):
            store.observe("t", second, "pbx" if number else None)
        kept = store.history("t")
    found = history.facts("t", path, kept, NOON + DAY_S)
    rates = {rate["source"]: (rate["slips"], rate["measured_s"], rate["category"])
             for rate in found["slip_rates"]}
    assert rates == {"hold-over": (0, 1, "a"), "pbx": (0, 9, "a")}
    told = [row.split() for row in history.table(found, 80)]
    assert ["slips", "seen", "a", "day", "G.822", "with", "the", "clock", "from"] in told
    assert ["0", "9", "s", "0", "a", "pbx"] in told


@pytest.mark.parametrize(("proof_s", "more"), [(1.5, True), (0.0, False)])
def test_a_bit_error_rate_test_says_how_long_until_it_proves_something(proof_s: float, more: bool) -> None:
    facts = {"url": "u", "pattern": "prbs15", "timeslots": [1], "each": [], "seconds": 3.0, "loop": "none",
             "bits": 10, "clean": True, "injected": 0, "ber": 0.0, "ber_limit": 1e-5, "proof_s": proof_s,
             "confidence": 0.95, "errored_s": 0, "severely_errored_s": 0, "slips": 0, "slipped_frames": 0,
             "sync_losses": 0, "delay_ms": None}
    said = " ".join("\n".join(bert.table(facts, 200)).split())
    assert ("not above 1.0e-06 after 1.5 s more without an error" in said) is more
