"""What a link counts, and that it says no more than it must."""
from appliance.isdn.lapd import Frame, FrameKind, Side, encode
from appliance.isdn.q921 import Link, Parameters, Received, State

USER, NETWORK = Side.USER, Side.NETWORK
K = FrameKind


def pair(k: int = 7) -> dict[Side, Link]:
    links = {side: Link(side, Parameters(k=k)) for side in Side}
    links[USER].establish(0.0)
    for side in (USER, NETWORK, USER):
        for octets in links[side].take_frames():
            links[side.peer].receive(octets, 0.0)
    assert {link.state for link in links.values()} == {State.MULTIPLE_FRAME}
    return links


def exchange(links: dict[Side, Link], messages: int, answers: int) -> None:
    """The user sends, as fast as it may; the network answers the first `answers` of them in the same turn."""
    user, network = links[USER], links[NETWORK]
    for _ in range(messages):
        user.send(bytes(30), 0.0)
    user.take_events(), network.take_events()
    heard = 0
    while True:
        going = user.take_frames()
        for octets in going:
            network.receive(octets, 0.0)
        for event in network.take_events():
            if isinstance(event, Received):
                if heard < answers:
                    network.send(bytes(30), 0.0)
                heard += 1
        coming = network.take_frames()
        for octets in coming:
            user.receive(octets, 0.0)
        if not going and not coming:
            assert heard == messages
            return


def test_i_frames_acknowledge_where_there_are_any() -> None:
    links = pair()
    exchange(links, messages=200, answers=200)
    for link in links.values():
        assert link.counters.sent[K.INFORMATION] == 200
    assert links[NETWORK].counters.sent[K.RR] == 0
    assert links[USER].counters.sent[K.RR] == 1   # nothing left to carry the last one


def test_a_window_of_k_costs_one_rr() -> None:
    links = pair(k=7)
    exchange(links, messages=70, answers=0)
    assert links[NETWORK].counters.sent[K.RR] == 10
    links = pair(k=1)
    exchange(links, messages=70, answers=0)
    assert links[NETWORK].counters.sent[K.RR] == 70


def test_statistics_of_a_link() -> None:
    link = Link(USER)
    link.receive(encode(Frame(K.SABME, True, True), NETWORK), 1.0)
    for info in (b"one", b"two", b"three"):
        link.send(info, 1.0)
    for frame in (Frame(K.REJ, False, nr=1), Frame(K.RNR, False, nr=2), Frame(K.SABME, True, info=b"?")):
        link.receive(encode(frame, NETWORK), 2.0)
    link.receive(encode(Frame(K.UA, False, True), NETWORK), 3.0)
    link.receive(bytes.fromhex("fe ff 03 0f"), 3.0)
    link.receive(b"\x00", 3.0)
    link.receive(encode(Frame(K.INFORMATION, True, info=b"four"), NETWORK), 4.0)
    link.set_busy(True, 5.0)
    link.expire(14.0)
    link.take_frames()
    figures = link.statistics(14.5)
    assert figures.received == {"SABME": 1, "REJ": 1, "RNR": 1, "UA": 1, "I": 1}
    assert figures.sent == {"UA": 1, "I": 5, "SABME": 1, "RNR": 2}
    assert (figures.frames_in, figures.rejected, figures.foreign, figures.invalid) == (8, 1, 1, 1)
    assert figures.octets_in == 3 + 4 + 4 + 4 + 3 + 4 + 1 + 8
    assert figures.octets_out == 3 + 7 + 7 + 9 + 7 + 9 + 3 + 4 + 4
    assert (figures.retransmitted, figures.troubles) == (2, {"M": 1})
    assert (figures.established, figures.t200_expired) == (2, 0)
    assert (figures.queued, figures.longest_queue) == (0, 3)
    assert (figures.state, figures.up_s) == ("TIMER_RECOVERY", 1.0 + 11.5)
    link.expire(15.0)
    link.deactivate(16.0)
    assert link.statistics(100.0).up_s == 1.0 + 13.0
    assert link.statistics(100.0).t200_expired == 1
