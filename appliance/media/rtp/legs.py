"""All RTP legs without their sockets: packets and blocks of A-law in and out, in any time.

Ref: RFC 3550, RFC 3551, RFC 3389 (comfort noise), RFC 4733 by way of the rooms that do the work.
"""

from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np

from appliance.media import g711, noise
from appliance.media.g711 import Octets
from appliance.media.rtp import packet, quality
from appliance.media.rtp.alone import Failed, each
from appliance.media.rtp.events import NAMES, Event, Listener, Regenerator
from appliance.media.rtp.packet import (
    COMFORT_NOISE,
    HEADER_OCTETS,
    PAYLOAD_AT,
    PCMA,
    PCMU,
    Headers,
    Marks,
    Numbers,
    Rows,
)
from appliance.media.rtp.playout import MOST_OCTETS, Playout
from appliance.media.rtp.rtcp import Received, Reports, Sent
from appliance.media.rtp.sender import Senders
from appliance.media.rtp.settings import LegFigures, LegSettings
from appliance.media.rtp.stream import Floats, Streams
from appliance.media.tones import SAMPLE_RATE_HZ
from e1_driver import BLOCK, IDLE

SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
UPDATE = 10 * BLOCK                               # an event that goes on is told again within it
NOISE_OCTETS = 1 << 13
DBOV_DBM0 = 6.15                                  # RFC 3389 3.1: 0 dBov is a square wave of full scale
QUIET_S = 5.0                                     # without a packet: trouble
LINE_MS = 15                                      # of the box's delay beyond the leg


@dataclass(frozen=True, slots=True)
class RtpHeard:
    """`kind` "rtp-event": `what` is the digit of an RFC 4733 event, said once, when it begins.

    "rtp-trouble": `what` says in a few words that nothing comes, comes again, or that the far end said BYE.
    """

    row: int
    kind: str
    what: str


@dataclass(slots=True)
class _Leg:
    settings: LegSettings
    reports: Reports
    opened_at: float
    listener: Listener = field(default_factory=Listener)
    regenerator: Regenerator = field(default_factory=Regenerator)
    mute: int = 0                                 # samples of audio to be left out: they are the event's own
    quiet: bool = False                           # it was said that nothing comes
    malformed: int = 0
    score: float | None = None
    scored: tuple[int, int] = (0, 0)              # expected and missed packets at the last score


class Legs:
    """Rows 0 to rows-1, open or not. `now` is monotonic seconds, `wall_s` Unix time.

    `failed`: what the work of a leg raised, for the caller to take; the others carry on.
    """

    def __init__(self, rows: int) -> None:
        self.failed: Failed = []
        self.senders = Senders(rows, self.failed)
        self._streams, self._playout = Streams(rows), Playout(rows, self.failed)
        self._legs: dict[int, _Leg] = {}
        self._hears: Marks = np.zeros(rows, bool)
        self._event_payload: Numbers = np.full(rows, -1, np.int64)
        self._heard_s: Floats = np.full(rows, -np.inf)
        self._report_at: Floats = np.full(rows, np.inf)
        self._acting: set[int] = set()            # legs with an event that mutes or sounds
        self._heard: list[RtpHeard] = []
        self._look_at = 0.0
        self._mu_law = False                      # it was heard of some leg

    def __contains__(self, row: int) -> bool:
        return row in self._legs

    def open(
        self, row: int, settings: LegSettings, cname: str, numbers: tuple[int, int, int], now: float,
    ) -> None:
        """`numbers`: random SSRC, first sequence number and time stamp of what the leg sends."""
        self._streams.reset(row)
        self._playout.open(row, settings.most_delay_ms * SAMPLES_PER_MS)
        self.senders.open(row, settings, *numbers)
        reports = Reports(cname, now)
        self._legs[row], self._report_at[row] = _Leg(settings, reports, now), reports.due_s
        self._heard_s[row] = -np.inf
        self.change(row, settings)

    def change(self, row: int, settings: LegSettings) -> None:
        """The sound goes on."""
        self._legs[row].settings = settings
        self.senders.change(row, settings)
        if not settings.direction.hears:
            self._playout.rest(row, None)
        self._hears[row] = settings.direction.hears
        self._event_payload[row] = -1 if settings.event_payload is None else settings.event_payload
        self._playout.limit(row, settings.most_delay_ms * SAMPLES_PER_MS)
        self._streams.doubt(row)

    def expect_another(self, row: int) -> None:
        """The far end is another one from now on: its first packet begins a stream."""
        self._streams.forget(row)
        self._legs[row].reports.left = False

    def close(self, row: int) -> None:
        del self._legs[row]
        self._acting.discard(row)
        self._hears[row], self._report_at[row] = False, np.inf
        self.senders.close(row)
        self._playout.close(row)

    def receive(self, rows: Rows, packets: Octets, sizes: Numbers, arrived: Floats, now: float) -> None:
        """Packets uint8[n, WIDTH] of different open rows; they may be written to. `arrived`: in samples."""
        found = packet.heads(packets, sizes)
        plain = self._streams.plain(rows, found)
        if plain is not True:
            odd = ~plain
            self._receive_odd(rows[odd], packets[odd], found[odd], arrived[odd], now)
            rows, found, arrived = rows[plain], found[plain], arrived[plain]
            packets = packets[plain, :found[:, 3].max(initial=0)]
        if rows.size:
            timestamps = self._streams.follow(rows, arrived)
            self._heard_s[rows] = now
            if self._mu_law:
                self._translate(packets, found[:, 0] >> PAYLOAD_AT & 0x7F)
            self._play(rows, timestamps, packets, (found[:, 3] - HEADER_OCTETS << 16) + HEADER_OCTETS, now)

    def _receive_odd(self, rows: Rows, packets: Octets, found: Numbers, arrived: Floats, now: float) -> None:
        """Those that need a look."""
        headers = packet.parse(packets, found)
        kinds = headers.payload_type
        audio, event = (kinds == PCMA) | (kinds == PCMU), kinds == self._event_payload[rows]
        fine = headers.valid & (
            audio & (headers.octets > 0) & (headers.octets <= MOST_OCTETS) | event | (kinds == COMFORT_NOISE))
        if not fine.all():
            for row in rows[~fine].tolist():
                self._legs[row].malformed += 1
            rows, packets, headers, arrived = rows[fine], packets[fine], headers.only(fine), arrived[fine]
            audio, event, found = audio[fine], event[fine], found[fine]
        arrivals = self._streams.take(rows, headers, arrived, ~event)
        for row in rows[arrivals.begun].tolist():
            self._playout.expect_anew(row)
            self._legs[row].listener = Listener()
            self._legs[row].reports.left = False
        self._heard_s[rows[arrivals.good]] = now
        heard = arrivals.good & self._hears[rows]
        sound = heard & audio
        for at in (heard & ~audio).nonzero()[0].tolist():
            row, timestamp = int(rows[at]), int(arrivals.timestamp[at])
            each([row], partial(self._beside, row, packets[at], headers, at, timestamp), self.failed)
        if sound.any():
            rows, packets, headers, timestamps = (
                rows[sound], packets[sound], headers.only(sound), arrivals.timestamp[sound])
            self._translate(packets, headers.payload_type)
            self._play(rows, timestamps, packets, headers.octets << 16 | headers.at, now)
            self._streams.trust(rows, found[sound], headers.sequence, timestamps)

    def _translate(self, packets: Octets, payload_type: Numbers) -> None:
        mu_law = payload_type == PCMU
        if mu_law.any():
            self._mu_law = True
            packets[mu_law] = g711.a_law(packets[mu_law])

    def _play(self, rows: Rows, timestamps: Numbers, packets: Octets, kinds: Numbers, now: float) -> None:
        each(rows, lambda part: self._playout.put(
            rows[part], timestamps[part], packets[part], kinds[part], now), self.failed)

    def receive_rtcp(self, row: int, octets: bytes, wall_s: float, now: float) -> None:
        leg = self._legs[row]
        had_left = leg.reports.left
        if not leg.reports.hear(
                octets, int(self.senders.ssrc[row]), int(self._streams.ssrc[row]), wall_s, now):
            leg.malformed += 1
        elif leg.reports.left and not had_left:
            self._heard.append(RtpHeard(row, "rtp-trouble", "the far end said BYE"))

    def fill(self, rx: Octets, now: float) -> list[RtpHeard]:
        """One block of all rows' A-law into uint8[rows, BLOCK]; what was heard since."""
        rx[:] = self._playout.take()
        for row in [*self._acting]:
            each([row], partial(self._act, row, rx), self.failed)
        if now >= self._look_at:
            self._look_at = now + 1
            self._look(now)
        heard, self._heard = self._heard, []
        return heard

    def reports(self, now: float, wall_s: float) -> list[tuple[int, bytes]]:
        """RTCP packets that are due, by row."""
        due: list[tuple[int, bytes]] = []
        for row in (self._report_at <= now).nonzero()[0].tolist():
            each([row], partial(self._report, row, due, now, wall_s), self.failed)
        return due

    def bye(self, row: int, now: float, wall_s: float) -> bytes:
        return self._legs[row].reports.bye(self._sent(row), self._received(row), now, wall_s)

    def figures(self, row: int) -> LegFigures:
        """What the leg itself knows: nothing of strangers and addresses."""
        leg, streams, playout = self._legs[row], self._streams, self._playout
        reports = leg.reports
        return LegFigures(
            received=int(streams.received[row]), sent=int(self.senders.sent[row]),
            lost=streams.lost_ever(row), late=int(playout.late[row]), malformed=leg.malformed,
            duplicates=int(streams.duplicates[row]), reordered=int(streams.reordered[row]),
            restarts=max(0, int(playout.anchored[row]) - 1),
            concealed_ms=int(playout.concealed[row]) // SAMPLES_PER_MS,
            stretched_ms=int(playout.stretched[row]) // SAMPLES_PER_MS,
            jitter_ms=round(float(streams.jitter[row]) / SAMPLES_PER_MS, 2),
            depth_ms=round(float(playout.headroom[row]) / SAMPLES_PER_MS, 1),
            most_depth_ms=int(playout.most_headroom[row]) / SAMPLES_PER_MS,
            round_trip_ms=None if reports.round_trip_s is None else round(1000 * reports.round_trip_s, 1),
            far_jitter_ms=None if reports.far_jitter is None else reports.far_jitter / SAMPLES_PER_MS,
            far_lost=reports.far_lost, mos=leg.score)

    def _act(self, row: int, rx: Octets, _: slice) -> None:
        """The block of a leg with an event."""
        leg = self._legs[row]
        block = leg.regenerator.take()
        if block is not None:
            rx[row] = block
        elif leg.mute > 0:
            rx[row] = IDLE
        else:
            self._acting.discard(row)
        leg.mute -= BLOCK

    def _beside(self, row: int, octets: Octets, headers: Headers, at: int, timestamp: int, _: slice) -> None:
        """A packet that is no audio: comfort noise or an event."""
        start, length = int(headers.at[at]), int(headers.octets[at])
        if headers.payload_type[at] == COMFORT_NOISE:
            level_dbov = -(int(octets[start]) & 0x7F) if length else -127
            self._playout.rest(row, _comfort(level_dbov))
            return
        leg, event = self._legs[row], Event.decode(octets[start:start + length].tobytes())
        if event is None:
            leg.malformed += 1
            return
        new = leg.listener.hear(event, timestamp)
        if new:
            self._heard.append(RtpHeard(row, "rtp-event", NAMES[event.number]))
        if new or not event.end:
            remaining = min(self._playout.until(row, timestamp + event.duration),       # who counts otherwise
                            leg.settings.most_delay_ms * SAMPLES_PER_MS)                # is not deaf for it
            leg.mute = max(0, remaining + (0 if event.end else UPDATE))
            self._playout.skip(row, leg.mute)
        if leg.settings.regenerate_digits:
            leg.regenerator.hear(event, new)
        self._acting.add(row)

    def _look(self, now: float) -> None:
        """Say of what legs nothing comes, or comes again. Of one on hold nothing is expected."""
        self._heard_s[~self._hears] = now
        for row, leg in self._legs.items():
            quiet = now - max(float(self._heard_s[row]), leg.opened_at) > QUIET_S
            if quiet != leg.quiet and self._hears[row]:
                leg.quiet = quiet
                what = f"nothing comes for {QUIET_S:g} s" if quiet else "the far end's packets come again"
                self._heard.append(RtpHeard(row, "rtp-trouble", what))

    def _score(self, row: int, leg: _Leg) -> None:
        expected = self._streams.expected(row)
        missed = self._streams.lost(row) + int(self._playout.late[row])
        before_expected, before_missed = leg.scored
        leg.scored = expected, missed
        if expected > before_expected:
            trip_ms = 1000 * (leg.reports.round_trip_s or 0)
            waited_ms = self._playout.headroom[row] / SAMPLES_PER_MS
            delay_ms = trip_ms / 2 + waited_ms + leg.settings.ptime_ms + LINE_MS
            loss = max(0, missed - before_missed) / (expected - before_expected)
            leg.score = round(quality.mos(delay_ms, min(loss, 1.0)), 2)

    def _report(self, row: int, due: list[tuple[int, bytes]], now: float, wall_s: float, _: slice) -> None:
        leg = self._legs[row]
        self._score(row, leg)
        due.append((row, leg.reports.report(self._sent(row), self._received(row), now, wall_s)))
        self._report_at[row] = leg.reports.due_s

    def _sent(self, row: int) -> Sent:
        senders = self.senders
        return Sent(int(senders.ssrc[row]), senders.timestamp(row), int(senders.sent[row]),
                    int(senders.octets[row]))

    def _received(self, row: int) -> Received | None:
        streams = self._streams
        if not streams.known(row):
            return None
        return Received(int(streams.ssrc[row]), streams.expected(row), streams.lost(row),
                        int(streams.newest[row]), int(streams.jitter[row]))


@lru_cache(maxsize=128)
def _comfort(level_dbov: int) -> Octets:
    return noise.comfort(level_dbov + DBOV_DBM0, NOISE_OCTETS)
