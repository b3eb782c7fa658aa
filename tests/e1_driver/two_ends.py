"""Both ends of an emulated circuit for 6 seconds, with D-channel frames; their counters as JSON.

`python -m tests.e1_driver.two_ends cesop`, in a network namespace that does wrong.
"""

import json
import sys
from dataclasses import asdict

from e1_driver import open_span
from tests.e1_driver.circuits import pair_urls
from tests.e1_driver.ends import End, run

BLOCKS = 600


def main(scheme: str) -> None:
    ends = [End(open_span(url), seed) for seed, url in enumerate(pair_urls(scheme, "&jitter_ms=200"))]
    run(*ends, until=lambda: all(end.span.status().up for end in ends))
    for end in ends:
        for number in range(50):
            end.span.send_frame(bytes((2, 1, 3, number)))
    run(*ends, until=lambda: all(len(end.received) >= BLOCKS for end in ends))
    print(json.dumps([asdict(end.span.counters()) for end in ends]))


if __name__ == "__main__":
    main(sys.argv[1])
