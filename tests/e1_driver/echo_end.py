"""`python -m tests.e1_driver.echo_end URL`: an end in a process of its own that sends back what it hears."""

import select
import sys
import time

from e1_driver import open_span


def main() -> None:
    span = open_span(sys.argv[1])
    poll = select.poll()
    poll.register(span.fileno(), select.POLLIN)
    while True:
        block = span.read(time.monotonic())
        if block is None:
            poll.poll(1000)
            continue
        for frame in span.receive_frames():
            span.send_frame(frame)
        span.write(block)


if __name__ == "__main__":
    main()
