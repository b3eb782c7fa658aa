"""Both ends of an emulated circuit for 6 seconds, with D-channel frames, over a network that does wrong."""

from contextlib import ExitStack, closing

from e1_driver import Counters, open_span
from tests.e1_driver.circuits import pair_urls
from tests.e1_driver.ends import End, run

BLOCKS = 600


def counted(scheme: str) -> list[Counters]:
    """What either end counted."""
    with ExitStack() as stack:
        ends = [End(stack.enter_context(closing(open_span(url))), seed)
                for seed, url in enumerate(pair_urls(scheme, "&jitter_ms=200"))]
        run(*ends, until=lambda: all(end.span.status().up for end in ends))
        for end in ends:
            for number in range(50):
                end.span.send_frame(bytes((2, 1, 3, number)))
        run(*ends, until=lambda: all(len(end.received) >= BLOCKS for end in ends))
        return [end.span.counters() for end in ends]
