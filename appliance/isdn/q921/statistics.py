"""What a link counts, for people and telemetry."""
from collections import Counter
from dataclasses import dataclass, field

from appliance.isdn.lapd import I_FRAME, FrameKind


def _none_yet() -> dict[FrameKind, int]:
    return dict.fromkeys(FrameKind, 0)


@dataclass(slots=True)
class LinkCounters:
    """Since the link was made. A frame that came in is in `received`, `rejected`, `foreign` or `invalid`."""

    received: dict[FrameKind, int] = field(default_factory=_none_yet)
    sent: dict[FrameKind, int] = field(default_factory=_none_yet)
    rejected: int = 0                             # in a frame rejection condition, 3.6.11
    foreign: int = 0                              # of another SAPI or TEI
    invalid: int = 0                              # no frame at all, 2.9
    octets_in: int = 0                            # without flags and FCS
    octets_out: int = 0
    retransmitted: int = 0                        # I frames that were to be sent once more
    t200_expired: int = 0
    established: int = 0                          # resets included
    longest_queue: int = 0                        # messages not acknowledged yet
    troubles: Counter[str] = field(default_factory=Counter)

    @property
    def frames_in(self) -> int:
        return sum(self.received.values()) + self.rejected + self.foreign + self.invalid

    @property
    def frames_out(self) -> int:
        return sum(self.sent.values())

    @property
    def rejects_in(self) -> int:
        return self.received[FrameKind.REJ]

    @property
    def rejects_out(self) -> int:
        return self.sent[FrameKind.REJ]


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """A link's figures at one moment: totals since it was made. Octets are without flags and FCS."""

    state: str
    up_s: float                                   # time in which messages could be carried
    established: int                              # how often the link was set up, resets included
    queued: int                                   # messages not acknowledged now
    longest_queue: int
    frames_in: int
    frames_out: int
    octets_in: int
    octets_out: int
    received: dict[str, int]                      # frames by kind, those that occurred: I, RR, ...
    sent: dict[str, int]
    retransmitted: int
    t200_expired: int
    rejected: int                                 # frames in a frame rejection condition
    foreign: int                                  # frames of another SAPI or TEI
    invalid: int                                  # what was no frame at all
    troubles: dict[str, int]                      # by letter, see TROUBLES


def by_name(counts: dict[FrameKind, int]) -> dict[str, int]:
    return {"I" if kind is I_FRAME else kind.name: count for kind, count in counts.items() if count}
