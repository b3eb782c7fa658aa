"""What spand says and is asked of legs: who hears whom, what is played, sent, heard and recorded."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request


class Digit(Event, frozen=True):
    """A DTMF digit of a leg, once: heard in-band (Q.23, Q.24) or told by its telephone (RFC 4733)."""

    owner: ClassVar[str] = "spand"
    leg: str
    digit: str                                    # one of 0-9 * # A-D
    at: float


class Heard(Event, frozen=True):
    """Something else that is listened for on a leg (Detect)."""

    owner: ClassVar[str] = "spand"
    leg: str
    kind: str                                     # of appliance.media.detect.DETECTORS
    what: str                                     # as that detector says it
    at: float


class RtpTrouble(Event, frozen=True):
    """The far end of an RTP leg fell silent, came again, or said that it leaves (RTCP BYE)."""

    owner: ClassVar[str] = "spand"
    leg: str
    what: str
    at: float


class DigitsSent(Event, frozen=True):
    """SendDigits is over."""

    owner: ClassVar[str] = "spand"
    leg: str
    order: str
    finished: bool                                # False: the leg went away


class PlayEnded(Event, frozen=True):
    owner: ClassVar[str] = "spand"
    leg: str
    play: str
    finished: bool                                # False: stopped, replaced or failed
    error: str = ""                               # e.g. a prompt that is not there


class RecordingGap(Event, frozen=True):
    """Audio that was never in the ring: spand was away for `missing_s` while this recording ran."""

    owner: ClassVar[str] = "spand"
    recording: str
    missing_s: float


class BindLeg(Request[Done], frozen=True):
    """trunkd: this leg's audio is that timeslot. Repeated for all legs when spand comes up."""

    owner: ClassVar[str] = "spand"
    leg: str
    span: str
    timeslot: int


class UnbindLeg(Request[Done], frozen=True):
    """trunkd: the leg is gone; its play, bridge and recordings end, the timeslot idles."""

    owner: ClassVar[str] = "spand"
    leg: str


class RtpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """As in the leg's SDP; appliance.media.rtp.settings has their bounds."""

    remote: tuple[str, int] | None = None         # numeric address and port; None: not known yet
    remote_rtcp: tuple[str, int] | None = None    # None: the RTP port plus one, the same one with rtcp_mux
    codec: Literal["pcma", "pcmu"] = "pcma"       # what we send; both are understood
    ptime_ms: int = 20                            # of the packets that we send: 10, 20, 30, 40
    direction: Literal["sendrecv", "sendonly", "recvonly", "inactive"] = "sendrecv"          # ours
    event_payload: int | None = 101               # RFC 4733 telephone-event; None: not agreed
    rtcp_mux: bool = False
    latch: bool = True                            # answer where the media comes from; False: `remote` only
    most_delay_ms: int = 200                      # bound of the jitter buffer
    regenerate_digits: bool = False               # a received event sounds in-band for whom the leg talks to
    send_key: bytes = b""                         # SRTP AES_CM_128_HMAC_SHA1_80: 16 octets key, 14 salt
    receive_key: bytes = b""

    def __repr__(self) -> str:
        """Without the keys."""
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if "_key" not in name)
        return f"RtpSettings({', '.join(shown)})"


class RtpOpened(Reply, frozen=True):
    local_port: int                               # its packets are to be sent there; RTCP is the next one


class OpenRtp(Request[RtpOpened], frozen=True):
    """phoned: this leg's audio is RTP. Repeated, with the port it was given, for all when spand comes up.

    Again for a leg that is open: as ChangeRtp.
    """

    owner: ClassVar[str] = "spand"
    leg: str
    settings: RtpSettings
    local_port: int = 0                           # wanted; 0: any


class ChangeRtp(Request[RtpOpened], frozen=True):
    """Other settings from now on. `relatch`: the far end may have moved, find it anew."""

    owner: ClassVar[str] = "spand"
    leg: str
    settings: RtpSettings
    relatch: bool = False


class CloseRtp(Request[Done], frozen=True):
    """As UnbindLeg."""

    owner: ClassVar[str] = "spand"
    leg: str


class Play(Request[Done], frozen=True):
    """acdd: play these fragments to the leg in place of what it plays now.

    A fragment is "prompt:NAME" (a file below the prompt folder, without suffix), "tone:busy", "number/en:12"
    and so on: docs/configuration.md has them all. "music:NAME" goes on where the leg last heard it.
    May come before the leg is bound. A repeat goes on until stopped.
    """

    owner: ClassVar[str] = "spand"
    leg: str
    play: str
    fragments: list[str]
    repeat: bool = False


class StopPlay(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    leg: str


class Bridge(Request[Done], frozen=True):
    """acdd: both hear each other, A-law untouched; in place of what each was connected with, and its play.

    To hold a party: Unbridge, then Play music to it. To swap the held one and the other: Bridge.
    May precede BindLeg.
    """

    owner: ClassVar[str] = "spand"
    leg_a: str
    leg_b: str


class Unbridge(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    leg: str


class JoinConference(Request[Done], frozen=True):
    """acdd: the leg hears all others of the conference; in place of what it was connected with, and its play.

    Again for the same one: with these settings from now on. May precede BindLeg. A conference is its members.
    """

    owner: ClassVar[str] = "spand"
    conference: str
    leg: str
    gain_db: float = 0.0                          # of what the others hear of it, -30 to 12
    speaks: bool = True
    hears: bool = True


class LeaveConference(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    leg: str


class Supervise(Request[Done], frozen=True):
    """acdd: the supervisor hears the agent and all that the agent hears, whatever that is connected with.

    Again for the same two: in this mode from now on. Ends with either leg, and when the supervisor is
    bridged, joins a conference or supervises another. May precede BindLeg.
    """

    owner: ClassVar[str] = "spand"
    supervisor: str
    agent: str
    mode: Literal["listen", "whisper", "barge"]   # nobody hears the supervisor; the agent alone does; all do


class StopSupervising(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    supervisor: str


class SetGain(Request[Done], frozen=True):
    """Change a leg's levels, -30 to 12 dB: what is received from it and what is sent to it."""

    owner: ClassVar[str] = "spand"
    leg: str
    received_db: float = 0.0
    sent_db: float = 0.0


class SetAgc(Request[Done], frozen=True):
    """Keep what is received from the leg at an even level."""

    owner: ClassVar[str] = "spand"
    leg: str
    on: bool


class SetEcho(Request[Done], frozen=True):
    """Cancel the echo of what the leg is sent out of what is received from it (G.168).

    For timeslots that talk with RTP legs: it is their delay that lets the echo of a line be heard.
    """

    owner: ClassVar[str] = "spand"
    leg: str
    on: bool


class Detect(Request[Done], frozen=True):
    """Listen to the leg for these kinds from now on, and no others. "dtmf" is always among them."""

    owner: ClassVar[str] = "spand"
    leg: str
    kinds: list[str]                              # of appliance.media.detect.DETECTORS


class MaskDigits(Request[Done], frozen=True):
    """Nobody hears or records the DTMF of the leg, which is still told as Digit."""

    owner: ClassVar[str] = "spand"
    leg: str
    on: bool


class SendDigits(Request[Done], frozen=True):
    """Send DTMF to the leg: in-band over what it hears, on an RTP leg as its telephone wants it (RFC 4733).

    `order` names it: asked again it is not sent twice. Refused: the leg is not bound, or sends some already.
    """

    owner: ClassVar[str] = "spand"
    leg: str
    order: str
    digits: str                                   # 0-9 * # A-D, up to 64
    on_ms: int = 100                              # 40 to 1000
    off_ms: int = 100                             # 40 to 1000


class StartRecording(Request[Done], frozen=True):
    """acdd: tap what both legs say into the ring. Repeating a running recording's id changes nothing."""

    owner: ClassVar[str] = "spand"
    recording: str                                # 16 octets as 32 hexadecimal digits
    caller_leg: str                               # left
    agent_leg: str                                # right; "": what the caller hears, prompts and all
    paused: bool = False                          # begin as after PauseRecording


class StopRecording(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    recording: str


class RecordingFrom(Reply, frozen=True):
    """What was asked of the recording holds in this tick of the record ring, and in all after it."""

    tick: int
    at: float


class PauseRecording(Request[RecordingFrom], frozen=True):
    """Record silence, of equal length, in place of both sides. Refused: no such recording runs.

    Who starts it anew after spand was away starts it paused.
    """

    owner: ClassVar[str] = "spand"
    recording: str


class ResumeRecording(Request[RecordingFrom], frozen=True):
    owner: ClassVar[str] = "spand"
    recording: str


class Listening(Reply, frozen=True):
    row: int                                      # of the listening ring


class Listen(Request[Listening], frozen=True):
    """Put what is said and heard at a leg, or at a timeslot, into the listening ring; for tools.

    It ends after `for_s` unless asked again by the same listener. Who listened to what is in the log.
    """

    owner: ClassVar[str] = "spand"
    listener: str                                 # 32 random hexadecimal digits: the id of the row
    who: str                                      # the person, for the log
    for_s: float                                  # up to 60
    leg: str = ""
    span: str = ""                                # with `timeslot`, in place of a leg
    timeslot: int = 0


class StopListening(Request[Done], frozen=True):
    owner: ClassVar[str] = "spand"
    listener: str


class Level(msgspec.Struct, frozen=True, kw_only=True):
    rms_dbm0: float
    peak_dbm0: float                              # of a sine with this peak


class Levels(Reply, frozen=True):
    """None: not measured yet, ask again."""

    received: Level | None
    sent: Level | None


class GetLevels(Request[Levels], frozen=True):
    """How loud the leg is now. Asking turns the meter on; 10 s after the last time it is off again.

    Refused: the leg is not bound.
    """

    owner: ClassVar[str] = "spand"
    leg: str
