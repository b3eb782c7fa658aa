"""RTP legs against media stacks that are not ours: ffmpeg (RTP, SRTP), GStreamer (RTP, RFC 4733), tshark.

The other programs run at life's pace, so a leg here does, too, for the few seconds of a test.
"""

import base64
import itertools
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.media import g711, tones
from appliance.media.g711 import Linear, Octets
from appliance.media.rtp.legs import RtpHeard
from appliance.media.rtp.settings import Codec, LegFigures, LegSettings
from appliance.span.rtp import OpenLeg, Ports, RtpLegs, SendEvents
from e1_driver import BLOCK, IDLE

HOST = "127.0.0.1"
PORTS = Ports(HOST, 25_000, 31_999)               # any that is free; the kernel gives out those above
TICK_S = 0.01
MOST_S = 20.0                                     # for what takes a second or two
HZ, FAR_HZ = 620, 440

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_gstreamer = pytest.mark.skipif(
    shutil.which("gst-launch-1.0") is None, reason="GStreamer is not installed")

Program = subprocess.Popen[bytes]


class Leg:
    """One leg at life's pace that says a tone of HZ, and a free port for its far end."""

    def __init__(self, far_port: int, settings: LegSettings) -> None:
        self.far_port, self.sockets = far_port, PORTS.take()
        self.legs = RtpLegs(1)
        self.legs.obey(OpenLeg(0, self.sockets, settings), time.monotonic())
        self.heard: list[RtpHeard] = []
        self.blocks: list[Octets] = []
        self._tone = g711.encode(tones.sines((HZ,), (-10.0,), 8000).round().astype(np.int16))
        self._at = 0

    def tick(self, now: float) -> None:
        rx = np.empty((1, BLOCK), np.uint8)
        self.heard += self.legs.fill(rx, now)
        self.blocks.append(rx[0])
        self.legs.send(self._tone[self._at:self._at + BLOCK][None], now)
        self._at = (self._at + BLOCK) % len(self._tone)

    def sounding(self) -> Linear:
        """A second of what was heard, from a tenth after the first sound on."""
        linear = g711.decode(np.concatenate(self.blocks))
        first = int(np.flatnonzero(np.abs(linear) > 500)[0])
        return linear[first + 800:first + 8800]

    @property
    def figures(self) -> LegFigures:
        return self.legs.figures(0)


def run(*legs: Leg, until: Callable[[], bool], seconds: float = MOST_S) -> None:
    """All at once until that is so, or for so long."""
    began = time.monotonic()
    for tick in itertools.count(1):
        now = time.monotonic()
        if now >= began + seconds or until():
            return
        for one in legs:
            one.tick(now)
        select.select([], [], [], max(0.0, began + tick * TICK_S - time.monotonic()))


def never() -> bool:
    return False


def ended(*programs: Program) -> Callable[[], bool]:
    return lambda: all(one.poll() is not None for one in programs)


def listens(port: int) -> bool:
    """Somebody on this machine has that UDP port."""
    return any(line.split()[1].endswith(f":{port:04X}")
               for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:])


@contextmanager
def leg(**settings: Any) -> Iterator[Leg]:
    far = PORTS.take()
    far.close()
    made = Leg(far.port, LegSettings(remote=(HOST, far.port), **settings))
    try:
        yield made
    finally:
        made.legs.close()


@contextmanager
def program(*words: str) -> Iterator[Program]:
    running = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        assert running.stdout
        running.stdout.close()


def share(samples: Linear, hz: float) -> float:
    """Of the power, what is within 5 Hz of `hz`."""
    linear = samples.astype(float)
    power = np.abs(np.fft.rfft(linear * np.hanning(len(linear)))) ** 2
    at = np.fft.rfftfreq(len(linear), 1 / 8000)
    return float(power[np.abs(at - hz) < 5].sum() / power.sum())


def ffmpeg_speaks(to: Leg, codec: str, key: bytes = b"") -> AbstractContextManager[Program]:
    """For two seconds."""
    suite = ("-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80", "-srtp_out_params", base64.b64encode(key).decode())
    return program(
        "ffmpeg", "-v", "error", "-re", "-f", "lavfi",
        "-i", f"sine=frequency={FAR_HZ}:sample_rate=8000:duration=2", "-c:a", codec, "-f", "rtp",
        *(suite if key else ()),
        f"{'s' * bool(key)}rtp://{HOST}:{to.sockets.port}?pkt_size=172&localrtpport={to.far_port}")


@needs_ffmpeg
def test_ffmpeg_is_heard_but_not_with_another_key() -> None:
    key, other = os.urandom(30), os.urandom(30)
    with (leg() as a_law, leg() as mu_law, leg(send_key=key, receive_key=key) as secured,
          leg(send_key=key, receive_key=key) as refusing,
          ffmpeg_speaks(a_law, "pcm_alaw") as first, ffmpeg_speaks(mu_law, "pcm_mulaw") as second,
          ffmpeg_speaks(secured, "pcm_alaw", key) as third,
          ffmpeg_speaks(refusing, "pcm_alaw", other) as fourth):
        run(a_law, mu_law, secured, refusing, until=ended(first, second, third, fourth))
        for hearing in (a_law, mu_law, secured):
            assert share(hearing.sounding(), FAR_HZ) > 0.99
            figures = hearing.figures
            assert figures.received >= 95
            assert (figures.lost, figures.malformed, figures.strangers) == (0, 0, 0)
        assert refusing.figures.malformed >= 95
        assert (refusing.figures.received, refusing.figures.concealed_ms) == (0, 0)
        assert (np.concatenate(refusing.blocks) == IDLE).all()


def session(port: int, codec: Codec, key: bytes) -> str:
    """A session description of a receiver on `port`."""
    payload, name = (8, "PCMA") if codec is Codec.PCMA else (0, "PCMU")
    crypto = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(key).decode()}\n" if key else ""
    return (f"v=0\no=- 0 0 IN IP4 {HOST}\ns=-\nc=IN IP4 {HOST}\nt=0 0\n"
            f"m=audio {port} RTP/{'S' if key else ''}AVP {payload}\n{crypto}a=rtpmap:{payload} {name}/8000\n")


def ffmpeg_hears(folder: Path, said: Leg, codec: Codec, key: bytes = b"") -> AbstractContextManager[Program]:
    """A second of it, into <far port>.raw."""
    description = folder / f"{said.far_port}.sdp"
    description.write_text(session(said.far_port, codec, key))
    return program(
        "ffmpeg", "-v", "error", "-protocol_whitelist", "file,udp,rtp,srtp", "-i", str(description),
        "-t", "1", "-f", "s16le", "-ar", "8000", "-y", str(description.with_suffix(".raw")))


@needs_ffmpeg
def test_ffmpeg_hears_us(tmp_path: Path) -> None:
    key = os.urandom(30)
    with (leg() as a_law, leg(codec=Codec.PCMU) as mu_law, leg(send_key=key, receive_key=key) as secured,
          ffmpeg_hears(tmp_path, a_law, Codec.PCMA) as first,
          ffmpeg_hears(tmp_path, mu_law, Codec.PCMU) as second,
          ffmpeg_hears(tmp_path, secured, Codec.PCMA, key) as third):
        run(a_law, mu_law, secured, until=ended(first, second, third))
        for said in (a_law, mu_law, secured):
            heard = np.fromfile(tmp_path / f"{said.far_port}.raw", np.int16)
            assert len(heard) >= 7_500
            assert share(heard[1000:], HZ) > 0.99


IGNORED = ("fakesink", "sync=false", "async=false")
CAPS = "application/x-rtp,media=audio,clock-rate=8000"


@needs_gstreamer
def test_gstreamers_jitter_buffer_hears_us_and_its_reports_are_understood(tmp_path: Path) -> None:
    out = tmp_path / "heard.raw"
    with leg() as ours, program(
            "gst-launch-1.0", "-q", "rtpbin", "name=bin", "latency=40",
            "udpsrc", f"port={ours.far_port}", f"caps={CAPS},encoding-name=PCMA,payload=8", "!",
            "bin.recv_rtp_sink_0",
            "bin.", "!", "rtppcmadepay", "!", "alawdec", "!",
            "filesink", f"location={out}", "buffer-mode=2",
            "udpsrc", f"port={ours.far_port + 1}", "!", "bin.recv_rtcp_sink_0",
            "bin.send_rtcp_src_0", "!", "udpsink", f"host={HOST}", f"port={ours.sockets.port + 1}",
            "sync=false", "async=false"):
        run(ours, until=lambda: ours.figures.far_lost is not None and out.stat().st_size > 48_000)
        figures = ours.figures
    heard = np.fromfile(out, np.int16)
    assert share(heard[8000:24_000], HZ) > 0.99
    assert figures.far_lost is not None
    assert figures.far_jitter_ms is not None


@needs_gstreamer
def test_gstreamer_reads_our_keys() -> None:
    with leg() as ours, program(
            "gst-launch-1.0", "-m",
            "udpsrc", f"port={ours.far_port}", f"caps={CAPS}", "!", "rtpptdemux", "name=kinds",
            "kinds.src_8", "!", *IGNORED,
            "kinds.src_101", "!", f"{CAPS},encoding-name=TELEPHONE-EVENT,payload=101", "!",
            "rtpdtmfdepay", "!", *IGNORED) as gstreamer:
        run(ours, until=lambda: listens(ours.far_port))
        run(ours, until=never, seconds=0.3)
        ours.legs.obey(SendEvents(0, "19*#A", 60, 60), time.monotonic())
        run(ours, until=never, seconds=1.2)
        gstreamer.terminate()
        said, _ = gstreamer.communicate(timeout=20)
    numbers = re.findall(r"dtmf-event,[^;]*number=\(int\)(\d+)", said.decode())
    assert numbers == ["1", "9", "10", "11", "12"]


KEYS = """
import gi, sys, time
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
pipe = Gst.parse_launch(
    "rtpdtmfmux name=mux ! udpsink host=%s port=%s bind-port=%s sync=true async=false "
    "audiotestsrc is-live=true freq=440 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! "
    "rtppcmapay min-ptime=20000000 max-ptime=20000000 pt=8 ! mux.sink_0 "
    "rtpdtmfsrc name=keys pt=101 ! mux.priority_sink_0" % tuple(sys.argv[1:4]))
keys = pipe.get_by_name("keys").get_static_pad("src")
pipe.set_state(Gst.State.PLAYING)
time.sleep(0.3)
for number in (5, 0, 11):
    for start in (True, False):
        event = Gst.Structure.new_from_string(
            "dtmf-event,type=(int)1,method=(int)1,start=(boolean)%s,number=(int)%d,volume=(int)10"
            % (str(start).lower(), number))
        keys.send_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, event))
        time.sleep(0.15)
time.sleep(0.3)
pipe.set_state(Gst.State.NULL)
"""


def bindings_of_gstreamer() -> bool:
    try_it = "import gi; gi.require_version('Gst', '1.0')"
    return shutil.which("gst-launch-1.0") is not None and subprocess.run(
        ["/usr/bin/python3", "-c", try_it], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not bindings_of_gstreamer(), reason="GStreamer's Python binding is not installed")
def test_keys_of_gstreamer_are_heard_once_each() -> None:
    with leg() as ours, program(
            "/usr/bin/python3", "-c", KEYS, HOST, str(ours.sockets.port), str(ours.far_port)) as gstreamer:
        run(ours, until=ended(gstreamer))
        figures = ours.figures
    assert [one.what for one in ours.heard if one.kind == "rtp-event"] == ["5", "0", "#"]
    assert (figures.malformed, figures.strangers) == (0, 0)
