"""What is asked of spand about legs -> the switchboard. One row for each request."""

from collections.abc import Callable
from typing import Any, NamedTuple

from appliance.bus.client import Refused
from appliance.bus.messages import (
    BindLeg,
    Bridge,
    ChangeRtp,
    CloseRtp,
    Detect,
    Done,
    GetLevels,
    JoinConference,
    LeaveConference,
    Listen,
    Listening,
    MaskDigits,
    OpenRtp,
    PauseRecording,
    Play,
    Reply,
    Request,
    ResumeRecording,
    RtpOpened,
    RtpSettings,
    SendDigits,
    SetAgc,
    SetEcho,
    SetGain,
    StartRecording,
    StopListening,
    StopPlay,
    StopRecording,
    StopSupervising,
    Supervise,
    UnbindLeg,
    Unbridge,
)
from appliance.media.rtp.settings import Codec, Direction, LegSettings
from appliance.span.switchboard import Switchboard


class Moment(NamedTuple):
    tick: int                                     # the next one
    now: float                                    # monotonic


def answer(board: Switchboard, request: Request[Any], moment: Moment) -> Reply:
    """Do what is asked, in force with the next plan. Refused: it cannot be, and nothing was changed."""
    asked = _ANSWERS.get(type(request))
    if asked is None:
        raise Refused(f"{type(request).__name__}: spand has no answer to it")
    return asked(board, request, moment) or Done()


def _leg_settings(asked: RtpSettings) -> LegSettings:
    try:
        return LegSettings(
            remote=asked.remote, remote_rtcp=asked.remote_rtcp, codec=Codec(asked.codec),
            ptime_ms=asked.ptime_ms, direction=Direction(asked.direction), event_payload=asked.event_payload,
            rtcp_mux=asked.rtcp_mux, latch=asked.latch, most_delay_ms=asked.most_delay_ms,
            regenerate_digits=asked.regenerate_digits, send_key=asked.send_key, receive_key=asked.receive_key)
    except ValueError as error:
        raise Refused(str(error)) from None


_ANSWERS: dict[type[Request[Any]], Callable[[Switchboard, Any, Moment], Reply | None]] = {
    BindLeg: lambda board, it, _: board.bind(it.leg, it.span, it.timeslot),
    UnbindLeg: lambda board, it, _: board.unbind(it.leg),
    OpenRtp: lambda board, it, _: RtpOpened(
        local_port=board.open_rtp(it.leg, it.local_port, _leg_settings(it.settings))),
    ChangeRtp: lambda board, it, _: RtpOpened(
        local_port=board.change_rtp(it.leg, _leg_settings(it.settings), it.relatch)),
    CloseRtp: lambda board, it, _: board.unbind(it.leg),
    Play: lambda board, it, _: board.play(it.leg, it.play, it.fragments, it.repeat),
    StopPlay: lambda board, it, _: board.stop_play(it.leg),
    Bridge: lambda board, it, _: board.bridge(it.leg_a, it.leg_b),
    Unbridge: lambda board, it, _: board.unbridge(it.leg),
    JoinConference: lambda board, it, _: board.join(it.conference, it.leg, it.gain_db, it.speaks, it.hears),
    LeaveConference: lambda board, it, _: board.leave(it.leg),
    Supervise: lambda board, it, _: board.supervise(it.supervisor, it.agent, it.mode),
    StopSupervising: lambda board, it, _: board.stop_supervising(it.supervisor),
    SetGain: lambda board, it, _: board.set_gain(it.leg, it.received_db, it.sent_db),
    SetAgc: lambda board, it, _: board.set_agc(it.leg, it.on),
    SetEcho: lambda board, it, _: board.set_echo(it.leg, it.on),
    Detect: lambda board, it, _: board.detect(it.leg, it.kinds),
    MaskDigits: lambda board, it, _: board.mask_digits(it.leg, it.on),
    SendDigits: lambda board, it, _: board.send_digits(it.leg, it.order, it.digits, it.on_ms, it.off_ms),
    StartRecording: lambda board, it, moment: board.start_recording(
        it.recording, it.caller_leg, it.agent_leg, moment.tick, it.paused),
    StopRecording: lambda board, it, _: board.stop_recording(it.recording),
    PauseRecording: lambda board, it, _: board.pause_recording(it.recording, True),
    ResumeRecording: lambda board, it, _: board.pause_recording(it.recording, False),
    Listen: lambda board, it, moment: Listening(
        row=board.listen(it.listener, it.who, it.leg, it.span, it.timeslot, it.for_s, moment.now)),
    StopListening: lambda board, it, _: board.stop_listening(it.listener),
    GetLevels: lambda board, it, moment: board.levels(it.leg, moment.now),
}
