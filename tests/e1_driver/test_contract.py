"""The contract on a pair of each backend. A backend is a row of PAIRS; E1_PAIRS adds some from outside."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from e1_driver import BLOCK, Alarm
from e1_driver.backends import virtual
from firmware.linecard.framer import CHIPS
from hil_tests.instruments.card import joined
from tests.e1_driver.circuits import pair_urls
from tests.e1_driver.contract import CHECKS, Pair, opened, outside
from tests.e1_driver.e1d_server import E1dServer
from tests.e1_driver.ends import End

Factory = Callable[[Path], AbstractContextManager[Pair]]


def urls(url_a: str, url_b: str, **properties: Any) -> Factory:
    """Two URLs in which {} is an empty folder."""
    return lambda folder: opened(url_a.format(folder), url_b.format(folder), **properties)


@contextmanager
def e1d(folder: Path) -> Iterator[Pair]:
    with E1dServer(folder / "e1d"), opened(
            f"e1d:{folder}/e1d?intf=0&line=0", f"e1d:{folder}/e1d?intf=1&line=0",
            skew_octets=BLOCK, sees_far_end=False) as pair:
        yield pair


@contextmanager
def in_process(options: str, _: Path) -> Iterator[Pair]:
    line = virtual.pair(options, options)
    yield Pair(End(line.a, 0), End(line.b, 1), paced=False, pump=line.step)
    line.close()


@contextmanager
def card(folder: Path) -> Iterator[Pair]:
    with joined(folder / "a", folder / "b", CHIPS) as cards, opened(
            *(f"card:{card.path}?span=0" for card in cards), gone=Alarm.AIS) as pair:
        yield pair


def emulated(scheme: str, options: str, _: Path) -> AbstractContextManager[Pair]:
    return opened(*pair_urls(scheme, options))


PAIRS: dict[str, Factory] = {
    "virtual": urls("virtual:{}/line/a", "virtual:{}/line/b"),
    "virtual, stepped": urls("virtual:{}/line/a?clock=step", "virtual:{}/line/b", paced=False),
    "virtual, framed": urls("virtual:{}/line/a?framing=g704", "virtual:{}/line/b?framing=g704"),
    "virtual, in process": partial(in_process, ""),
    "virtual, in process, framed": partial(in_process, "framing=g704"),
    "e1d": e1d,
    "satop": partial(emulated, "satop", ""),
    "cesop": partial(emulated, "cesop", ""),
    "cesop, RTP, 5 ms": partial(emulated, "cesop", "&rtp=on&frames=40"),
    "tdmoe": urls("tdmoe:unix:{}/line/02:00:00:00:00:0b/0?own=02:00:00:00:00:0a&listen=yes",
                  "tdmoe:unix:{}/line/02:00:00:00:00:0a/0?own=02:00:00:00:00:0b"),
    "card": card,
}
OUTSIDE = [line for line in os.environ.get("E1_PAIRS", "").splitlines() if line.strip()]


@pytest.fixture(params=[*PAIRS, *OUTSIDE])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = PAIRS[request.param](tmp_path) if request.param in PAIRS else outside(request.param)
    with made as opened_pair:
        yield opened_pair


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_promise(pair: Pair, check: Callable[[Pair], None]) -> None:
    check(pair)
