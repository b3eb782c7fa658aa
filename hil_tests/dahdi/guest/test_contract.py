"""The contract of every backend, on spans 1 and 2. A far end that closes is idle there and no LOS.

With DAHDI's usual tick of 8 ms, and in a guest that has dahdi_dummy with one of 1 ms and a card's prefill.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from e1_driver import BLOCK
from e1_driver.backends.dahdi import CARD_PREFILL_MS
from tests.e1_driver.contract import CHECKS, Pair, opened

TICK_1_MS = Path("/sys/module/dahdi_dummy").exists()
OPTIONS = f"?prefill_ms={CARD_PREFILL_MS}" if TICK_1_MS else ""


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_promise(check: Callable[[Pair], None]) -> None:
    with opened(f"dahdi:1{OPTIONS}", f"dahdi:2{OPTIONS}", skew_octets=BLOCK, sees_far_end=False) as pair:
        check(pair)
