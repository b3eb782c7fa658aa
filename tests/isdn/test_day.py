"""A short day of random traffic: nothing is stuck, the books agree, a fault in the signalling shows."""
import pytest

from appliance.isdn.call.call import Call
from appliance.isdn.channels import Channels
from tests.isdn.day import day_of_traffic, disagreements, main, report

CALLS, HOURS, FAULTS = 1000, 2.0, 3


def test_the_books_of_both_ends_agree_after_two_hours_with_faults() -> None:
    days = list(day_of_traffic(2, CALLS, HOURS, FAULTS, seed=1, jobs=1))
    assert disagreements(days) == []
    assert sum(day.placed["placed"] for day in days) == CALLS
    assert sum(day.placed["answered"] for day in days) > CALLS / 2
    assert all(day.troubles.total() == 7 * FAULTS for day in days)
    assert 0 < sum(day.disturbed for day in days) < CALLS
    table_ = report(days)
    assert "ended, cause 17" in table_ and "process killed" in table_


def test_channels_that_are_not_given_back_end_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    free, times = Channels.free, [0]

    def forgetful(channels: Channels, timeslot: int) -> None:
        times[0] += 1
        if times[0] < 50:
            free(channels, timeslot)

    monkeypatch.setattr(Channels, "free", forgetful)
    with pytest.raises(AssertionError, match="stuck"):
        list(day_of_traffic(1, 100, 1.0, 0, seed=1, jobs=1))


def test_a_cause_that_is_not_the_one_that_was_given_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Call, "reason", property(lambda call: call.cause(31)))
    [day] = day_of_traffic(1, 100, 1.0, 0, seed=1, jobs=1)
    assert any("causes 16 and 31" in wrong for wrong in disagreements([day]))


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--spans", "1", "--calls", "100", "--hours", "1", "--jobs", "1", "--seed", "2"]) == 0
    said = capsys.readouterr().out
    assert "span 0: 100 calls" in said and "channels taken, s" in said
