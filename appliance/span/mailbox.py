"""Between the asyncio thread and the real-time thread: neither ever waits for the other."""

import os
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """fileno() polls readable when something was put and not taken. One thread puts, one takes."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()           # append and popleft are atomic
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self._wake

    def put(self, item: T) -> None:
        self._items.append(item)
        os.eventfd_write(self._wake, 1)

    def take(self) -> list[T]:
        """All that was put, in order."""
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return []
        return [self._items.popleft() for _ in range(len(self._items))]

    def close(self) -> None:
        os.close(self._wake)
