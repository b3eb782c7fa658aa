"""What settings a line wants: found by looking at it and by asking the far end, each with its evidence.

Pure: the caller has the span, which carries no calls meanwhile, and the clock. Nothing is guessed: what
cannot be found out is said to be so, and `usual` has the answer that most lines have.

Signal, framing and CRC-4 are the interface's word. Which timeslot has the D-channel: the one with HDLC. The
side: every command and response of Q.921 says as which side it was sent (3.3.2); the far end's own frames
tell, and it is asked besides, as user and as network: SABME, and when UA comes RR with the P bit, which only
the right side is answered properly. Whose rules: only messages of Q.931 tell, when one comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

import numpy as np

from e1_driver import BEARERS, D_TIMESLOT, Abilities, Alarm, Block, Clock, Counters, LineStatus
from e1_driver.framing.hdlc import Decoder
from e1_driver.testing.d_channel import Side
from e1_driver.testing.signs import Messages, speaker

SIGNAL_S = 3.0                                    # for a line to come up
STEADY_S = 0.3                                    # without an alarm
MULTIFRAMES_S = 1.5                               # G.706 B.2.3 takes 400 ms
LISTEN_S = 1.2                                    # more than T200: a far end that wants a link asks meanwhile
ASK_S, AGAIN_S = 1.5, 0.7                         # for UA, and until SABME is said again
PROBE_S, PROBE_AGAIN_S = 1.8, 0.6                 # for the answer to RR: SABMEs that met cost a T200
AFTER_S = 0.6                                     # with the link up: messages that tell more
LEAVE_S = 0.3                                     # for our DISC to get out
LONGEST_S = 14.0                                  # of the whole, the DISC apart

_C_R, _TEI_0, _P_F = 0x02, 0x01, 0x10
_SABME, _UA, _DISC, _UI, _RR = 0x7F, 0x73, 0x53, 0x03, 0x01
_UA_ALONE, _DM_ALONE = 0x63, 0x0F                 # without the F bit
_SIGNED_SAPI, _SIGNATURE_OCTETS = 32 << 2, 8      # as in d_channel.py: only a loop sends it back
_POLL = 0x01                                      # P or F of a supervisory frame, N(R) 0
_FLAGS = frozenset(int(("01111110" * 2)[turn:turn + 8], 2) for turn in range(8))
_ALL_ONES = 0xFF
_FRAMES_ELSEWHERE = 3                             # good ones: by chance one in 65536 is
_FLAG_BLOCKS = 10                                 # of nothing but flags
_E_BIT_BLOCKS_S = 500.0                           # wrong blocks told in a second: it does not find ours


class Sure(StrEnum):
    """How a finding is known."""

    SEEN = "seen"                                 # the line says it
    TRIED = "tried"                               # it was asked and answered
    USUAL = "usual"                               # not to be found out: most lines have it so
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """`key` has its sentence in the pages."""

    key: str
    figures: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """`what`: signal, framing, crc4, d_channel, side, profile, numbers, channels or clock."""

    what: str
    value: str
    sure: Sure
    evidence: tuple[Evidence, ...] = ()


class Phase(StrEnum):
    SIGNAL = "signal"
    FRAMES = "frames"
    LISTEN = "listen"
    ASK = "ask"
    AFTER = "after"
    LEAVE = "leave"
    DONE = "done"


@dataclass(slots=True)
class _Asked:
    """What came of asking as one side."""

    side: Side
    sabme: int = 0
    ua: int = 0
    ua_odd: int = 0                               # with the C/R bit of a command
    dm: int = 0
    probes: int = 0
    answers: int = 0                              # to RR: responses with F

    @property
    def proven(self) -> bool:
        return self.ua > 0 and self.answers > 0


class Detection:
    """`country`: of the box, for what is usual there."""

    def __init__(self, abilities: Abilities, random: Random, country: str = "") -> None:
        self._abilities, self._random, self._country = abilities, random, country
        self.phase = Phase.SIGNAL
        self._began_s = self._phase_s = self._steady_s = 0.0
        self._started = False
        self._status = LineStatus()
        self._blocks = 0
        self._counters, self._counters_s = Counters(), 0.0
        self._e_bits: float | None = None         # a second
        self._decoders = {timeslot: Decoder() for timeslot in BEARERS}
        self._hdlc: dict[int, int] = {}           # good frames by timeslot, besides the usual one
        self._flags: dict[int, int] = {}          # blocks of flags
        self._busy: set[int] = set()              # timeslots that carried anything but ones
        self._frames = 0
        self._commands: dict[Side, int] = {Side.USER: 0, Side.NETWORK: 0}
        self._messages = Messages()
        self._signed: set[bytes] = set()
        self._looped = 0
        self._asked: list[_Asked] = []
        self._queue: list[Side] = []
        self._again_s = 0.0

    # --- what comes of the line

    def look(self, block: Block) -> None:
        """A block that came; of a line that is up."""
        self._blocks += 1
        if not self._started or not self._status.up:
            return
        for timeslot in (*BEARERS, *((D_TIMESLOT,) if self._abilities.timeslot_16 else ())):
            row = block[timeslot]
            first = int(row[0])
            steady = not np.any(row != first)
            if not steady or first != _ALL_ONES:
                self._busy.add(timeslot)
            if steady and first in _FLAGS:
                self._flags[timeslot] = self._flags.get(timeslot, 0) + 1
            if timeslot != D_TIMESLOT and (good := self._decoders[timeslot].feed(row.tobytes())):
                self._hdlc[timeslot] = self._hdlc.get(timeslot, 0) + len(good)

    def turn(self, now_s: float, frames: Sequence[bytes], status: LineStatus,
             counters: Counters) -> list[bytes]:
        """Frames that came since the last turn in, frames to send out. Call it ten times a second or more."""
        if not self._started:
            self._started, self._began_s, self._phase_s, self._steady_s = True, now_s, now_s, now_s
        self._status = status
        send = [answer for frame in frames if (answer := self._take(frame))]
        self._count_e_bits(now_s, status, counters)
        send += self._act(now_s, status)
        if self.phase not in (Phase.LEAVE, Phase.DONE) and now_s - self._began_s >= LONGEST_S:
            send += self._leave(now_s)
        return send

    def _act(self, now_s: float, status: LineStatus) -> list[bytes]:
        passed_s = now_s - self._phase_s
        if not status.up:
            self._steady_s = now_s
        match self.phase:
            case Phase.SIGNAL if status.up and now_s - self._steady_s >= STEADY_S:
                self._enter(Phase.FRAMES, now_s)
            case Phase.SIGNAL if passed_s >= SIGNAL_S:
                self._enter(Phase.DONE, now_s)
            case Phase.FRAMES if status.crc4 is not None or passed_s >= self._frames_s:
                self._enter(Phase.LISTEN, now_s)
                return [self._sign() for _ in range(2)]
            case Phase.LISTEN if passed_s >= LISTEN_S:
                if self._looped:
                    self._enter(Phase.DONE, now_s)
                    return []
                first = self._heard or Side.NETWORK
                ours = Side.USER if first is Side.NETWORK else Side.NETWORK
                self._queue = [ours, first]
                return self._ask_next(now_s)
            case Phase.ASK:
                return self._ask(now_s, passed_s)
            case Phase.AFTER if passed_s >= AFTER_S:
                return self._leave(now_s)
            case Phase.LEAVE if passed_s >= LEAVE_S:
                self._enter(Phase.DONE, now_s)
        return []

    def _leave(self, now_s: float) -> list[bytes]:
        """A link that is up is put down: the box sets up its own."""
        if not self._asked or not (self._asked[-1].ua or self._asked[-1].ua_odd):
            self._enter(Phase.DONE, now_s)
            return []
        self._enter(Phase.LEAVE, now_s)
        return [_command(self._asked[-1].side, _DISC)]

    @property
    def _frames_s(self) -> float:
        return MULTIFRAMES_S if Alarm.LOF in self._abilities.alarms else 0.0

    def _enter(self, phase: Phase, now_s: float) -> None:
        self.phase, self._phase_s = phase, now_s

    def _ask_next(self, now_s: float) -> list[bytes]:
        if not self._queue:
            self._enter(Phase.DONE, now_s)
            return []
        side = self._queue.pop(0)
        self._asked.append(_Asked(side, sabme=1))
        self._again_s = now_s + AGAIN_S
        self._enter(Phase.ASK, now_s)
        return [_command(side, _SABME)]

    def _ask(self, now_s: float, passed_s: float) -> list[bytes]:
        asked = self._asked[-1]
        if asked.proven:
            self._enter(Phase.AFTER, now_s)
            return []
        if asked.ua or asked.ua_odd:
            if not asked.probes:
                self._phase_s = now_s
            elif passed_s >= PROBE_S:
                return self._ask_next(now_s)
            elif now_s < self._again_s:
                return []
            asked.probes += 1
            self._again_s = now_s + PROBE_AGAIN_S
            return [_command(asked.side, _RR) + bytes((_POLL,))]
        if passed_s >= ASK_S:
            return self._ask_next(now_s)
        if now_s >= self._again_s:
            self._again_s = now_s + AGAIN_S
            asked.sabme += 1
            return [_command(asked.side, _SABME)]
        return []

    def _take(self, frame: bytes) -> bytes | None:
        if frame in self._signed:
            self._looped += 1
            return None
        self._frames += 1
        if (by := speaker(frame)) is not None:
            self._commands[by] += 1
        self._messages.take(frame)
        if len(frame) < 3:
            return None
        asked = self._asked[-1] if self._asked else None
        control, c_r = frame[2], frame[0] & _C_R
        if asked is not None and self.phase in (Phase.ASK, Phase.AFTER):
            if control & ~_P_F == _UA_ALONE:
                asked.ua += c_r == _ours(asked.side)
                asked.ua_odd += c_r != _ours(asked.side)
            elif control & ~_P_F == _DM_ALONE:
                asked.dm += 1
            elif control & 3 == 1 and len(frame) > 3 and frame[3] & 1:
                if c_r == _ours(asked.side):
                    asked.answers += asked.probes > 0
                else:                             # a command of theirs that wants an answer
                    return bytes((c_r, _TEI_0, _RR, _POLL))
            elif not control & 1 and len(frame) > 3 and asked.ua:
                # acknowledged, so that it does not say it again and again while the line is looked at
                return bytes((c_r, _TEI_0, _RR, ((control >> 1) + 1 & 0x7F) << 1 | frame[3] & 1))
            elif control == _SABME and c_r != _ours(asked.side):
                return bytes((c_r, _TEI_0, _UA))
        return None

    def _sign(self) -> bytes:
        signed = bytes((_SIGNED_SAPI, _TEI_0, _UI)) + self._random.randbytes(_SIGNATURE_OCTETS)
        self._signed.add(signed)
        return signed

    def _count_e_bits(self, now_s: float, status: LineStatus, counters: Counters) -> None:
        """Their rate from a second after multiframes were found: until then the far end cannot know ours."""
        if not status.crc4 or "e_bits" not in self._abilities.counters:
            self._counters_s = now_s + 1.0
            self._counters = replace(counters)
        elif now_s < self._counters_s:
            self._counters = replace(counters)
        elif now_s > self._counters_s + 0.5:
            self._e_bits = (counters.e_bits - self._counters.e_bits) / (now_s - self._counters_s)

    # --- what it comes to

    @property
    def _heard(self) -> Side | None:
        """As which side the far end speaks by its own frames; None: it says nothing, or both."""
        user, network = self._commands[Side.USER], self._commands[Side.NETWORK]
        if bool(user) == bool(network):
            return None
        return Side.USER if user else Side.NETWORK

    @property
    def up(self) -> bool:
        return self._status.up and self._blocks > 0

    @property
    def looped(self) -> bool:
        return self._looped > 0

    def findings(self) -> list[Finding]:
        """As far as it got."""
        found = [self._signal()]
        if self.up:
            found += [self._framing(), self._crc4(), self._d_channel()]
            side = self._side()
            found += [side, self._profile(side.value), self._numbers(), self._channels(),
                      self._clock(side.value)]
        return found

    def _signal(self) -> Finding:
        if self.up:
            evidence = [Evidence("blocks", {"n": self._blocks})]
            if Alarm.RAI in self._status.alarms:
                evidence.append(Evidence("rai"))
            if self._status.level_db is not None:
                evidence.append(Evidence("level", {"db": self._status.level_db}))
            return Finding("signal", "there", Sure.SEEN, tuple(evidence))
        worst = next((alarm for alarm in (Alarm.AIS, Alarm.LOF, Alarm.LOS) if alarm in self._status.alarms),
                     Alarm.LOS)
        return Finding("signal", worst.value, Sure.SEEN, (Evidence(worst.value),))

    def _framing(self) -> Finding:
        if Alarm.LOF not in self._abilities.alarms:
            return Finding("framing", "g704", Sure.USUAL, (Evidence("interface_frames"),))
        return Finding("framing", "g704", Sure.SEEN, (Evidence("frames_found"),))

    def _crc4(self) -> Finding:
        crc4 = self._status.crc4
        if crc4 is None:
            return Finding("crc4", "", Sure.UNKNOWN, (Evidence("crc4_untold"),))
        if not crc4:
            return Finding("crc4", "off", Sure.SEEN, (Evidence("no_multiframes"),))
        evidence = [Evidence("multiframes")]
        if self._e_bits is not None:
            key = "e_bits_all" if self._e_bits > _E_BIT_BLOCKS_S else "e_bits"
            evidence.append(Evidence(key, {"per_s": round(self._e_bits)}))
        return Finding("crc4", "on", Sure.SEEN, tuple(evidence))

    def _d_channel(self) -> Finding:
        if self._looped:
            return Finding("d_channel", "loop", Sure.SEEN, (Evidence("looped"),))
        if self._frames:
            return Finding("d_channel", str(D_TIMESLOT), Sure.SEEN,
                           (Evidence("frames", {"n": self._frames, "timeslot": D_TIMESLOT}),))
        elsewhere = max(self._hdlc, key=lambda one: self._hdlc[one], default=0)
        if self._hdlc.get(elsewhere, 0) >= _FRAMES_ELSEWHERE:
            return Finding("d_channel", str(elsewhere), Sure.SEEN, (
                Evidence("elsewhere", {"n": self._hdlc[elsewhere], "timeslot": elsewhere}),))
        with_flags = [one for one, blocks in sorted(self._flags.items()) if blocks >= _FLAG_BLOCKS]
        if D_TIMESLOT in with_flags or with_flags:
            timeslot = D_TIMESLOT if D_TIMESLOT in with_flags else with_flags[0]
            return Finding("d_channel", str(timeslot), Sure.SEEN,
                           (Evidence("flags", {"timeslot": timeslot}),))
        return Finding("d_channel", str(D_TIMESLOT), Sure.USUAL, (Evidence("d_silent"),))

    def _side(self) -> Finding:
        """Ours."""
        evidence = [Evidence(f"speaks_{side.value}", {"n": n}) for side, n in self._commands.items() if n]
        for one in self._asked:
            if one.proven:
                evidence.append(Evidence(f"answers_{one.side.value}"))
            elif one.ua or one.ua_odd:
                evidence.append(Evidence(f"odd_{one.side.value}"))
            elif one.dm:
                evidence.append(Evidence(f"refuses_{one.side.value}"))
            else:
                evidence.append(Evidence(f"silent_{one.side.value}", {"n": one.sabme}))
        proven = [one.side for one in self._asked if one.proven]
        heard = self._heard
        ours = None if heard is None else Side.USER if heard is Side.NETWORK else Side.NETWORK
        if len(proven) == 1 and ours in (None, proven[0]):
            return Finding("side", proven[0].value, Sure.TRIED, tuple(evidence))
        if ours is not None and not proven:
            return Finding("side", ours.value, Sure.SEEN, tuple(evidence))
        return Finding("side", Side.USER.value, Sure.USUAL, tuple(evidence))

    def _profile(self, side: str) -> Finding:
        said = self._messages
        figures: dict[str, object] = {"n": said.seen}
        if said.qsig:
            return Finding("profile", "qsig", Sure.SEEN, (Evidence("qsig_signs", figures),))
        if said.rose:
            return Finding("profile", "etsi", Sure.SEEN, (Evidence("rose", figures),))
        usual = "china" if self._country == "cn" and side == Side.USER.value else "etsi"
        if said.private:
            return Finding("profile", "qsig", Sure.USUAL, (Evidence("private_plan", figures),))
        key = "messages_plain" if said.seen else "no_messages"
        return Finding("profile", usual, Sure.USUAL, (Evidence(key, figures),))

    def _numbers(self) -> Finding:
        offered = self._messages.offered
        if self._messages.digits_later:
            return Finding("numbers", "overlap", Sure.SEEN, (Evidence("digits_later"),))
        if whole := [one for one in offered if one.complete]:
            return Finding("numbers", "en-bloc", Sure.SEEN, (
                Evidence("offered", {"called": whole[-1].called, "digits": len(whole[-1].called)}),))
        if offered:
            return Finding("numbers", "en-bloc", Sure.USUAL, (
                Evidence("offered", {"called": offered[-1].called, "digits": len(offered[-1].called)}),))
        return Finding("numbers", "en-bloc", Sure.USUAL, (Evidence("no_call"),))

    def _channels(self) -> Finding:
        ones = [one for one in BEARERS if one not in self._busy]
        if ones and len(ones) < len(BEARERS):
            return Finding("channels", "1-31", Sure.USUAL, (Evidence("only_ones", {"timeslots": ones}),))
        return Finding("channels", "1-31", Sure.USUAL, (Evidence("channels_alike"),))

    def _clock(self, side: str) -> Finding:
        follows = side == Side.USER.value
        evidence = [Evidence("follows" if follows else "leads")]
        if follows != (self._abilities.clock is Clock.LINE):
            evidence.append(Evidence("own_clock" if follows else "line_clock"))
        return Finding("clock", "line" if follows else "own", Sure.USUAL, tuple(evidence))


def _ours(side: Side) -> int:
    """C/R of our commands, and of the far end's responses to them."""
    return _C_R if side is Side.NETWORK else 0


def _command(side: Side, control: int) -> bytes:
    return bytes((_ours(side), _TEI_0, control))
