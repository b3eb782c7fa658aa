"""The way of audio out of recordd. Who takes it, and why, is in the chain before a ticket is given."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from msgspec.structs import replace

from appliance.bus.messages import (
    GetPeaks,
    GetRecording,
    OpenRecording,
    Purpose,
    ReadRecording,
    RecordingInfo,
    RecordingOpened,
    RecordingPart,
    RecordingPeaks,
)
from appliance.errors import BranchlineError, StateError
from appliance.recording.audio import MEDIA_TYPES, Format, Peaks, decode
from appliance.recording.audio.waveform import Waveform
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.tickets import Opened
from appliance.recording.parts import Parts
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, TICKS_PER_S, Header

MOST_OCTETS = 1 << 20                             # in one answer
RESTORE = "restore it from a backup or the archive"
MOST_NAME = 100                                   # characters of `by`
MOST_WHY = 1000

# What the chain calls it.
KINDS: dict[Purpose, str] = {
    "listen": "listened", "download": "downloaded", "share": "shared", "replay": "replay"}

Blocks = Callable[[int], Iterator[bytes]]         # interleaved A-law from a tick on


def info(parts: Parts, recording: str) -> RecordingInfo:
    with parts.database.read() as connection:
        row = rows.get(connection, recording)
    if row is not None:
        return _described(row)
    try:
        of = parts.taker.timeline(recording)
    except ValueError:
        return RecordingInfo(recording=recording)
    return RecordingInfo(recording=recording, known=True, duration_s=of.ticks / TICKS_PER_S,
                         gap_s=of.gap_ticks / TICKS_PER_S)


def get(parts: Parts, asked: GetRecording) -> RecordingInfo:
    return info(parts, asked.recording)


def open_recording(parts: Parts, asked: OpenRecording) -> RecordingOpened:
    """StateError: refused, and nothing was given or written."""
    if not asked.by.strip() or len(asked.by) > MOST_NAME:
        raise StateError(f"by: who wants it, in 1 to {MOST_NAME} characters: it is kept in the chain")
    if len(asked.why) > MOST_WHY:
        raise StateError(f"why: a reason has up to {MOST_WHY} characters")
    described = info(parts, asked.recording)
    if not described.known:
        raise StateError(f"{asked.recording}: no such recording")
    opened, media_type = (_finished if described.finished else _growing)(parts, asked)
    try:
        with parts.database.write() as connection:
            row = rows.get(connection, asked.recording)
            if row is not None and row.state == "erased":
                raise StateError(_erased(row))
            parts.chain.append(connection, parts.now(), KINDS[asked.purpose], asked.recording, asked.by,
                               {"form": asked.form, "octets": opened.octets}
                               | ({"why": asked.why} if asked.why else {}))
    except BaseException:
        opened.stack.close()
        raise
    return RecordingOpened(ticket=parts.tickets.give(opened, parts.now()), media_type=media_type,
                           octets=opened.octets, info=described)


def read(parts: Parts, asked: ReadRecording) -> RecordingPart:
    """StateError: refused."""
    if not 0 < asked.most_octets <= MOST_OCTETS or asked.at < 0:
        raise StateError(f"at: from 0; most_octets: from 1 to {MOST_OCTETS}")
    opened = parts.tickets.take(asked.ticket, parts.now())
    with parts.database.read() as connection:
        row = rows.get(connection, opened.recording)
    if row is not None and row.state == "erased":
        parts.tickets.forget(opened.recording)
        raise StateError(_erased(row))
    with opened.lock, _told(opened.recording):
        return RecordingPart(octets=opened.read(asked.at, asked.most_octets))


def peaks(parts: Parts, asked: GetPeaks) -> RecordingPeaks:
    """Of a recording that is being made: as it is now. None when it is erased. StateError: no such one."""
    described = info(parts, asked.recording)
    if not described.known:
        raise StateError(f"{asked.recording}: no such recording")
    if not described.finished:
        return _live_peaks(parts, described)
    with parts.database.read() as connection:
        row = rows.get(connection, asked.recording)
        wave = None if row is None else rows.wave(connection, row.number)
    of = Waveform(b"", b"") if wave is None else Peaks.read(wave.peaks)
    return RecordingPeaks(info=described, caller=list(of.caller), agent=list(of.agent))


def _live_peaks(parts: Parts, described: RecordingInfo) -> RecordingPeaks:
    try:
        of, ticks = parts.waves.of(parts.taker, described.recording)
    except ValueError:                            # finished just now
        return RecordingPeaks(info=described, caller=[], agent=[])
    return RecordingPeaks(info=replace(described, duration_s=ticks / TICKS_PER_S),
                          caller=list(of.caller), agent=list(of.agent))


def _finished(parts: Parts, asked: OpenRecording) -> tuple[Opened, str]:
    with parts.database.read() as connection:
        row = rows.get(connection, asked.recording)
    if row is None:
        raise StateError(f"{asked.recording}: no such recording")
    if row.state == "erased":
        raise StateError(_erased(row))
    if row.state == "archived":
        raise StateError(f"{asked.recording}: is in the archive only: have it brought back first")
    format = Format(row.format)
    with ExitStack() as stack, _told(asked.recording):
        sealed = stack.enter_context(parts.store.open(row.path))
        if asked.form == "stored":
            return Opened(asked.recording, sealed.octets, sealed.read, stack.pop_all()), MEDIA_TYPES[format]
        octets = _Wav(Header(row.recording, row.first_tick, row.duration_ticks, row.gap_ticks, finished=True),
                      lambda tick: decode(format, sealed.stream(), tick))
        octets.read(0, HEAD_OCTETS + TICK_OCTETS)                    # it can be read at all
        return Opened(asked.recording, octets.whole, octets.read, stack.pop_all()), MEDIA_TYPES[Format.WAV]


def _growing(parts: Parts, asked: OpenRecording) -> tuple[Opened, str]:
    if asked.form == "stored":
        raise StateError(f"{asked.recording}: is being made: take it as wav, or stored when it is finished")
    try:
        of = parts.taker.timeline(asked.recording)
    except ValueError:                            # finished just now
        return _finished(parts, asked)
    ticks = min(of.ticks, asked.ticks) if asked.ticks > 0 else of.ticks
    header = Header(asked.recording, of.first_tick, ticks, of.gap_ticks)

    def blocks(tick: int) -> Iterator[bytes]:
        """Out of the journal; of the file when it has left the journal meanwhile."""
        if parts.taker.is_open(asked.recording):
            yield from parts.taker.audio(asked.recording, of, tick, ticks - tick)
            return
        with parts.database.read() as connection:
            row = rows.get(connection, asked.recording)
        if row is not None and row.state == "kept":
            with parts.store.open(row.path) as sealed:
                yield from decode(Format(row.format), sealed.stream(), tick)

    octets = _Wav(header, blocks)
    return Opened(asked.recording, octets.whole, octets.read, ExitStack()), MEDIA_TYPES[Format.WAV]


class _Wav:
    """Octets of a WAV file that is made while it is read; reading on costs no more than what is read."""

    def __init__(self, header: Header, blocks: Blocks) -> None:
        self._head, self._blocks = header.write(), blocks
        self.whole = HEAD_OCTETS + header.ticks * TICK_OCTETS
        self._at, self._left = -1, b""            # of the audio
        self._coming: Iterator[bytes] = iter(())

    def read(self, at: int, most_octets: int) -> bytes:
        end = min(at + most_octets, self.whole)
        found = self._head[at:end]
        if end > HEAD_OCTETS and at < end:
            found += self._audio(max(at - HEAD_OCTETS, 0), end - max(at, HEAD_OCTETS))
        return found

    def _audio(self, at: int, octets: int) -> bytes:
        if at != self._at:
            tick, skip = divmod(at, TICK_OCTETS)
            self._coming, self._left = self._blocks(tick), b""
            self._left = self._next(skip)[skip:]
        self._at = -1                             # until it is known that all went well
        taken = self._next(octets)
        found, self._left = taken[:octets], taken[octets:]
        self._at = at + len(found)
        return found

    def _next(self, octets: int) -> bytes:
        """At least so many, when there are."""
        pieces, have = [self._left], len(self._left)
        while have < octets and (block := next(self._coming, None)) is not None:
            pieces.append(block)
            have += len(block)
        return b"".join(pieces)


@contextmanager
def _told(recording: str) -> Iterator[None]:
    """What goes wrong with a file is refused with a sentence."""
    try:
        yield
    except StateError:
        raise
    except FileNotFoundError:
        raise StateError(f"{recording}: its file is not there: {RESTORE}") from None
    except OSError as error:
        raise StateError(f"{recording}: cannot be read: {error.strerror}: see to the disk") from None
    except (BranchlineError, ValueError) as error:
        raise StateError(f"{recording}: {error}: {RESTORE}") from None


def _described(row: rows.Recording) -> RecordingInfo:
    return RecordingInfo(
        recording=row.recording, known=True, finished=True,
        duration_s=row.duration_ticks / TICKS_PER_S, gap_s=row.gap_ticks / TICKS_PER_S, format=row.format,
        octets=row.octets, held=row.holds > 0,
        erased=row.erased_why or "erased" if row.state == "erased" else "")


def _erased(row: rows.Recording) -> str:
    return f"{row.recording}: its audio was erased: {row.erased_why or 'no reason was given'}"
