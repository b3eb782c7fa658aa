"""A D-channel timeslot of any octets."""

from e1_driver.framing.hdlc import MAX_OCTETS, MIN_OCTETS, Decoder, Encoder

SHORT_OCTETS = 60                                 # these octet by octet too


def corpus() -> list[bytes]:
    encoder = Encoder()
    frames = [bytes((0x02, 0x01, 0x7F)), b"\xff" * 40, bytes(MAX_OCTETS), bytes(range(256))]
    octets = []
    for frame in frames:
        encoder.send(frame)
        octets.append(encoder.pull(len(frame) + 20))
    return [*octets, b"".join(octets), b"\x7e" * 80, b"\xff" * 80, bytes(80)]


def fuzz(data: bytes) -> None:
    """However the octets are cut, the frames are the same, of allowed lengths, and go out as they came.

    So are the counts, but that a giant may be given up before its end, whatever that is.
    """
    seen, giants = [], 0
    for piece in (len(data) or 1, 80, 7 if len(data) > SHORT_OCTETS else 1):
        decoder = Decoder()
        frames = [frame for at in range(0, len(data), piece) for frame in decoder.feed(data[at:at + piece])]
        seen.append((frames, (decoder.fcs_errors, decoder.aborts, decoder.runts)))
        giants += decoder.giants
    assert all(frames == seen[0][0] and (giants or counts == seen[0][1]) for frames, counts in seen)
    for frame in seen[0][0]:
        assert MIN_OCTETS <= len(frame) <= MAX_OCTETS
        encoder = Encoder()
        assert encoder.send(frame)
        assert Decoder().feed(encoder.pull(2 * len(frame) + 10)) == [frame]
