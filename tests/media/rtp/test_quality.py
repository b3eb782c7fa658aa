import pytest

from appliance.media.rtp import quality


def test_the_best_call_is_what_annex_b_of_g107_says() -> None:
    assert quality.rating(0, 0) == pytest.approx(93.2)
    assert quality.mos(0, 0) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(("one_way_ms", "r"), [(100, 93.2), (150, 92), (200, 89), (300, 79), (400, 70)])
def test_delay(one_way_ms: float, r: float) -> None:
    """As the curve of G.114 (05/03) figure 1 is read."""
    assert quality.rating(one_way_ms, 0) == pytest.approx(r, abs=1.5)


def test_loss_and_the_ends_of_the_scale() -> None:
    assert quality.rating(0, 0.01) == pytest.approx(93.2 - 95 / 26.1)
    assert quality.mos(5000, 1.0) == 1.0
    falling = [quality.mos(0, loss / 100) for loss in range(0, 101, 5)]
    assert falling == sorted(falling, reverse=True)
