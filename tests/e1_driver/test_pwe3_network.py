"""Emulated circuits through a network that loses, doubles and reorders: what it did is what is counted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

import numpy as np
import pytest

from e1_driver import BEARERS, IDLE, Block, open_span
from tests.e1_driver.circuits import HOST, free_ports
from tests.e1_driver.ends import End, run


@contextmanager
def lossy_network(**plan: Any) -> Iterator[IO[str]]:
    """What the network says of itself."""
    network = subprocess.Popen([sys.executable, "-m", "tests.e1_driver.lossy_network", json.dumps(plan)],
                               stdout=subprocess.PIPE, text=True)
    with network:
        assert network.stdout and network.stdout.readline() == "ready\n"
        yield network.stdout
        network.kill()


@pytest.mark.parametrize("scheme", ["cesop", "satop"])
def test_what_the_network_loses_and_doubles_is_counted_and_nothing_else_is_changed(scheme: str) -> None:
    ports, own = free_ports(4), ("own", "line")
    with ExitStack() as stack:
        network = stack.enter_context(lossy_network(ports=ports[:2], ends=ports[2:]))
        ends = []
        for seed in (0, 1):                       # jitter_ms: a busy machine may keep one of us waiting
            options = f"port={ports[2 + seed]}&clock={own[seed]}&jitter_ms=400"
            ends.append(End(open_span(f"{scheme}:{HOST}:{ports[seed]}?{options}"), seed))
            stack.callback(ends[-1].span.close)
        run(*ends, until=lambda: len(ends[0].received) > 280)
        done = json.loads(network.readline())
        start = len(ends[0].sent)
        run(*ends, until=lambda: len(ends[0].received) > start + 60)
    for sender, receiver, was in zip(ends, ends[::-1], done, strict=True):
        counters = receiver.span.counters()
        assert was["lost"] > 10 and was["doubled"] > 10 and was["overtaken"] > 10
        assert counters.packets_lost == was["lost"]
        assert counters.packets_late == was["doubled"]
        assert (counters.packets_bad, counters.slips) == (0, 0)
        if scheme == "cesop":
            check_filled(sender.sent, receiver.received, was["lost"])


def check_filled(sent: list[Block], received: list[Block], lost: int) -> None:
    """What was received is what was sent, but for the 8 frames of each lost packet, which are idle."""
    rows = list(BEARERS)
    line_sent, line_received = (np.concatenate(blocks, axis=1)[rows] for blocks in (sent, received))
    probe = line_received[0, -200:].tobytes()     # the last of it came through unharmed
    delay = line_received.shape[1] - 200 - line_sent[0].tobytes().index(probe)
    first = int(np.argmax((line_received != IDLE).any(axis=0)))      # since packets are played
    heard = line_received[:, first:]
    meant = line_sent[:, first - delay:line_received.shape[1] - delay]
    wrong = (heard != meant).any(axis=0)
    assert (heard[:, wrong] == IDLE).all()
    assert int(wrong.sum()) == 8 * lost
