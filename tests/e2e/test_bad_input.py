"""Octets that mean nothing, from the line or from the network: counted or refused, and calls go on."""

import random
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from appliance.bus.messages import Heartbeat
from e1_driver.framing.hdlc import MAX_OCTETS, MIN_OCTETS
from hil_tests.instruments.exchange import SoftwareExchange
from tests.e2e.calls import exchange_sequences, new_number, talk
from tests.e2e.rig import Rig
from tests.e2e.talk import SOON_S, wait_all_idle

pytestmark = pytest.mark.usefixtures("left_idle")

FRAMES = 150
FRAME_MOST_OCTETS = 60                            # longer ones are rare: the line carries 8 octets in 1 ms
HEAD_OCTETS = 4                                   # address and control of an I frame
CALLS = 30
TO_USER, TO_NETWORK = b"\x02\x01", b"\x00\x01"    # Q.921 3.3: commands of the network, of the user; TEI 0
REPLY_S = 15.0
COUNTERS = ("frames_invalid", "layer2_troubles", "faulty_messages", "ignored_messages", "faulty_elements")


def noise(dice: random.Random) -> bytes:
    most = MAX_OCTETS if dice.random() < 0.05 else FRAME_MOST_OCTETS
    return dice.randbytes(dice.randint(MIN_OCTETS, most))


def send(exchange: SoftwareExchange, frames: list[bytes]) -> None:
    for frame in frames:
        exchange.line.ask(lambda frame=frame: exchange.line.send_frame(frame))   # type: ignore[misc]


def test_random_frames_are_counted_and_a_talk_does_not_notice(box: Rig) -> None:
    caller, agent = talk(box)
    before = counted(box)
    dice = random.Random(1)
    for exchange in (box.telco, box.pbx):
        send(exchange, [noise(dice) for _ in range(FRAMES)])
    exchange_sequences(caller, agent, seed=50)
    wait_counted(box, before + FRAMES)
    caller.hang_up()
    agent.wait_for("RELEASED")


@pytest.mark.parametrize("seed", [1, 2])
def test_frames_that_look_like_layer_2_may_take_the_link_down_but_not_for_long(box: Rig, seed: int) -> None:
    before = counted(box)
    dice = random.Random(seed)
    send(box.telco, [dice.choice((TO_USER, TO_NETWORK)) + noise(dice) for _ in range(FRAMES)])
    send(box.pbx, [dice.choice((TO_USER, TO_NETWORK)) + noise(dice) for _ in range(FRAMES)])
    wait_counted(box, before + 1)
    box.wait_links_up()
    works(box)


@pytest.mark.parametrize("seed", [1, 2])
def test_messages_spoilt_on_their_way_are_counted_and_calls_go_on_afterwards(box: Rig, seed: int) -> None:
    before = counted(box)
    box.telco.tamper = spoiler(random.Random(seed))
    for _ in range(CALLS):
        box.telco.place_call(called="5001", calling=new_number())
    box.telco.tamper = None
    wait_counted(box, before + 1)
    box.telco.restart_interface()
    box.pbx.hang_up_all()
    wait_all_idle(box)
    works(box)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_octets_on_the_web_port_are_refused_and_pages_go_on(box: Rig, seed: int) -> None:
    dice = random.Random(seed)
    for request in REQUESTS:
        said = request(dice)
        status = ask_web(box, said)
        assert status[:1] in ("", "3", "4"), (said, status)          # 303: log in first
    assert ask_web(box, b"GET / HTTP/1.0\r\n\r\n") in ("200", "302", "303")


def a_path(dice: random.Random) -> bytes:
    return bytes(dice.choice(range(0x21, 0x7F)) for _ in range(dice.randint(1, 200)))


REQUESTS: list[Callable[[random.Random], bytes]] = [
    *[lambda dice: dice.randbytes(dice.randint(1, 2000))] * 10,
    *[lambda dice: b"GET /" + dice.randbytes(dice.randint(1, 200)) + b" HTTP/1.1\r\nHost: x\r\n\r\n"] * 10,
    *[lambda dice: b"GET /" + a_path(dice) + b" HTTP/1.0\r\n\r\n"] * 10,
    *[lambda dice: b"POST /login HTTP/1.0\r\nContent-Length: 64\r\n\r\n" + dice.randbytes(64)] * 5,
    *[lambda dice: b"GET / HTTP/1.0\r\nCookie: session=" + a_path(dice) + b"\r\n\r\n"] * 5,
    *[lambda dice: b"GET / HTTP/1.0\r\n" + dice.randbytes(500) + b"\r\n\r\n"] * 5,
    lambda dice: b"GET /" + b"a" * 100_000,
    lambda dice: b"POST /login HTTP/1.0\r\nContent-Length: -5\r\n\r\n",
    lambda dice: b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


def ask_web(box: Rig, request: bytes) -> str:
    """The status of the answer, "": closed without one."""
    url = urlsplit((box.run_dir / "web.url").read_text())
    with socket.create_connection((url.hostname, url.port or 0), REPLY_S) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except TimeoutError:
            raise
        except OSError:                           # closed while we were speaking
            return ""
    protocol, status = [*answer.split(), b"", b""][:2]
    assert not answer or protocol.startswith(b"HTTP/1."), answer
    return status.decode()


def spoiler(dice: random.Random) -> Callable[[bytes], bytes]:
    """What layer 3 says is changed; layer 2 stays as it was, so that it gets there."""
    def spoil(frame: bytes) -> bytes:
        if len(frame) <= HEAD_OCTETS or frame[2] & 1:
            return frame
        head, message = frame[:HEAD_OCTETS], bytearray(frame[HEAD_OCTETS:])
        match dice.randrange(5):
            case 0:
                del message[dice.randrange(len(message)):]
            case 1:
                for _ in range(dice.randint(1, 4)):
                    message[dice.randrange(len(message))] = dice.randrange(256)
            case 2:
                at = dice.randrange(len(message))
                message[at:at] = dice.randbytes(dice.randint(1, 40))
            case 3:
                message[4:] = dice.randbytes(dice.randint(0, 200))       # behind the call reference
            case 4:
                message[:] = dice.randbytes(dice.randint(1, MAX_OCTETS - HEAD_OCTETS))
        return (head + bytes(message))[:MAX_OCTETS]
    return spoil


def works(box: Rig) -> None:
    """A call is answered, queued and bridged."""
    caller, agent = talk(box)
    exchange_sequences(caller, agent, seed=52, seconds=0.3)


def counted(box: Rig) -> float:
    """What trunkd has counted as out of the ordinary on its D-channels."""
    return max((sum(beat.facts.get(name, 0) for name in COUNTERS)
                for beat in box.bus.said(Heartbeat) if beat.daemon == "trunkd"), default=0)


def wait_counted(box: Rig, least: float) -> None:
    box.bus.wait_event(Heartbeat, lambda _: counted(box) >= least, SOON_S)
