"""Packets of an emulated circuit, a batch at a time: [RTP header,] control word, payload. Pure.

Ref: RFC 4553 (SAToP) 4.3, RFC 5086 (CESoPSN) 4.3; RTP header RFC 3550 5.1. Over UDP the RTP header, when it
is used, comes before the control word.

    0 0 0 0 | L | R | M M | FRG 2 bits | LEN 6 bits | sequence number 16 bits
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from e1_driver.backends.pwe3_url import RTP_OCTETS, Form

Octets = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

L = 0x0800                                        # the TDM data is invalid; the payload may be left out
R = 0x0400                                        # the sender is in packet loss state
RDI = 0x0200                                      # M = 10, CESoPSN: remote defect indication on the circuit
SEQUENCES = 1 << 16

_M, _LEN = 0x0300, 0x003F
_ALWAYS_ZERO = 0xF0C0                             # first nibble (1: an associated channel); FRG: in one piece
_PLAYABLE = np.array([(lrm & 0b1011) in (0, 0b0010, 0b1000) for lrm in range(16)])   # [L R M M], RFC 5086 4.3
_LEN_LIMIT = 64                                   # LEN tells the length of shorter packets; 0 otherwise
_RTP_VERSION = 0x8000                             # V=2, P=0, X=0, CC=0; M and PT follow


class Batch(NamedTuple):
    """Of each packet: whether it is one of this form, its sequence number, and L, R and M (`flags`)."""

    good: Marks
    sequences: Numbers
    flags: Numbers


def encode(form: Form, flags: int, sequence: int, timestamp: int, payloads: Octets, frames: int) -> Octets:
    """uint8[n, form.packet_octets] of uint8[n, form.payload_octets], numbered from `sequence` on.

    `timestamp` is that of the first packet, in frames (RTP clock 8 kHz); each packet carries `frames`.
    """
    count = len(payloads)
    header = np.empty((count, form.header_octets // 2), ">u2")
    sequences = np.arange(sequence, sequence + count) & 0xFFFF
    total_octets = form.packet_octets
    header[:, -2] = flags | (total_octets if total_octets < _LEN_LIMIT else 0)
    header[:, -1] = sequences
    if form.rtp:
        timestamps = np.arange(timestamp, timestamp + count * frames, frames)
        header[:, 0] = _RTP_VERSION | form.payload_type
        header[:, 1] = sequences                  # RFC 4553 4.3.2: the same as in the control word
        header[:, 2], header[:, 3] = timestamps >> 16 & 0xFFFF, timestamps & 0xFFFF
        header[:, 4], header[:, 5] = form.ssrc >> 16, form.ssrc & 0xFFFF
    packets = np.empty((count, total_octets), np.uint8)
    packets[:, :form.header_octets] = header.view(np.uint8)
    packets[:, form.header_octets:] = payloads
    return packets


def decode(form: Form, packets: Octets, lengths: Numbers) -> Batch:
    """Read the headers of uint8[n, at least form.header_octets], of which `lengths` octets each are filled.

    Good packets have L with or without payload, or their whole payload. Nothing in a packet raises.
    """
    header = np.ascontiguousarray(packets[:, :form.header_octets]).view(">u2").astype(np.int64)
    word = header[:, -2]
    whole = lengths == form.packet_octets
    if not form.rtp and not np.count_nonzero(word) and np.count_nonzero(whole) == len(whole):
        return Batch(whole, header[:, -1], word)  # nearly always
    flags = word & (L | R | _M) if form.structured else word & (L | R)
    length_told = word & _LEN
    control_and_payload = lengths - form.rtp * RTP_OCTETS
    omitted = (lengths == form.header_octets) & (flags & L > 0)
    good = (whole | omitted) & (word & _ALWAYS_ZERO == 0)
    good &= (length_told == 0) | (length_told == lengths) | (length_told == control_and_payload)
    if form.structured:
        good &= _PLAYABLE[word >> 8 & 0xF]        # the rest is signalling, or reserved
    if form.rtp:
        good &= header[:, 0] & 0xFF00 == _RTP_VERSION
    return Batch(good, header[:, -1], flags)
