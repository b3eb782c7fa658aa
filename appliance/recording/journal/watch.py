"""Says that a disk is slow or full before anything is lost by it. Pure: told how long each batch took."""

from collections import deque

SLOW_S = 0.5                                      # for making a batch durable
OF_BATCHES = 30
SLOW_BATCHES = 3                                  # of those: it is said
BEHIND_TICKS = 300                                # the ring holds 3000


HANGS_S = 3.0                                     # a batch that is not done by then is told of while it lasts
_LOOK = "look for what else writes to it, or replace it"


class DiskWatch:
    """What is to be warned of, by kind; "" takes the warning back."""

    def __init__(self) -> None:
        self._slow: deque[bool] = deque(maxlen=OF_BATCHES)
        self._slow_said = False

    def batch(self, took_s: float, figures: dict[str, float]) -> dict[str, str]:
        """After each one."""
        self._slow.append(took_s > SLOW_S)
        slow = sum(self._slow)
        # Said once it is slow often; taken back only when it has been quick for as long as is looked back.
        self._slow_said = slow >= SLOW_BATCHES or (self._slow_said and slow > 0)
        late = figures["lag_ticks"] >= BEHIND_TICKS and not figures["failing"]
        return {
            "disk-refuses": "" if not figures["failing"] else
                "the disk refuses recordings: their audio waits in memory for 30 s: free the disk, or "
                "replace it",
            "slow-disk": "" if not (self._slow_said or late) else
                f"the disk is slow: it took {took_s:.1f} s to keep a second of audio, and recordings are "
                f"{figures['lag_ticks'] / 100:.0f} s behind of the 30 s that memory holds: {_LOOK}"}

    def hanging(self) -> dict[str, str]:
        """While one takes longer than HANGS_S; it is said once, however long that is."""
        return {"slow-disk": f"the disk does not answer for more than {HANGS_S:g} s: recordings wait in "
                             f"memory, which holds 30 s of them: {_LOOK}"}
