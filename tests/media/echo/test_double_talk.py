"""Two people talk at once for eight seconds, over a hybrid: how well the far end hears the near one."""

from appliance.media.echo import EchoCanceller
from tests.media.echo.speech import PAIRS, DoubleTalk

SHORT = (PAIRS[0], PAIRS[3], PAIRS[9])


def test_the_near_end_is_heard_well_while_both_talk() -> None:
    call = DoubleTalk(SHORT)
    left = call.cancelled(EchoCanceller(len(SHORT)).feed)
    assert max(call.echo_dbm0(left)) < -55
    assert max(call.heard_mos(call.received)) < 2.8
    assert min(call.heard_mos(left)) > 3.4


def test_a_quieter_near_end_is_heard_through_the_echo() -> None:
    """What is left of the echo is taken out of the bands in which the near end is not."""
    call = DoubleTalk(SHORT, near_db=-10)
    left = call.cancelled(EchoCanceller(len(SHORT)).feed)
    unsuppressed = call.cancelled(EchoCanceller(len(SHORT), processor=False).feed)
    assert sum(call.heard_mos(left)) > sum(call.heard_mos(unsuppressed))
    assert min(call.heard_mos(left)) > 2.9


def test_a_louder_near_end_is_not_muted() -> None:
    call = DoubleTalk(SHORT[:1], near_db=6)
    assert call.heard_mos(call.cancelled(EchoCanceller(1).feed))[0] > 3.1


def test_both_from_the_first_word_are_heard_better_than_without() -> None:
    """On the average: there is no time in which the path can be learnt undisturbed."""
    call = DoubleTalk(PAIRS, alone=False)
    left = call.cancelled(EchoCanceller(len(PAIRS)).feed)
    assert sum(call.heard_mos(left)) > sum(call.heard_mos(call.received)) + 0.4 * len(PAIRS)
