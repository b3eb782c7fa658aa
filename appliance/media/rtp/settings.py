"""What is asked of an RTP leg, and what can be told of it, in the words of SDP (RFC 8866, RFC 3551)."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address

PTIMES_MS = (10, 20, 30, 40)                      # of the packets that we send; a peer may send any


class Codec(StrEnum):
    PCMA = "pcma"
    PCMU = "pcmu"


class Direction(StrEnum):
    """As we would write it into our own SDP: RECVONLY sends nothing, SENDONLY hears nothing."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def hears(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)


@dataclass(frozen=True, slots=True)
class LegSettings:
    """ValueError: a field is out of its range."""

    remote: tuple[str, int] | None = None         # numeric address and port of SDP; None: not known yet
    remote_rtcp: tuple[str, int] | None = None    # None: the RTP port plus one, the same one with rtcp_mux
    codec: Codec = Codec.PCMA                     # what we send; both are understood
    ptime_ms: int = 20
    direction: Direction = Direction.SENDRECV
    event_payload: int | None = 101               # RFC 4733 telephone-event; None: not agreed
    rtcp_mux: bool = False                        # RFC 5761
    latch: bool = True                            # answer where the media comes from; False: `remote` only
    most_delay_ms: int = 200                      # bound of the jitter buffer
    regenerate_digits: bool = False               # a received event sounds in-band for whom the leg talks to
    send_key: bytes = field(default=b"", repr=False)             # SRTP AES_CM_128_HMAC_SHA1_80: 16 octets
    receive_key: bytes = field(default=b"", repr=False)          # of key, 14 of salt

    def __post_init__(self) -> None:
        for told in (self.remote, self.remote_rtcp):
            if told is not None and not 1 <= told[1] <= 65_535:
                raise ValueError(f"remote {told[0]} port {told[1]}: ports are 1 to 65535")
            if told is not None:
                address = ip_address(told[0])     # a name would have to be looked up while the media waits
                if address.is_unspecified or address.is_multicast:
                    raise ValueError(f"remote {told[0]}: not one far end's address; a hold is a direction")
        if self.ptime_ms not in PTIMES_MS:
            raise ValueError(f"ptime_ms {self.ptime_ms}: one of {', '.join(map(str, PTIMES_MS))}")
        if self.event_payload is not None and not 96 <= self.event_payload <= 127:
            raise ValueError(f"event_payload {self.event_payload}: dynamic types are 96 to 127")
        if not 20 <= self.most_delay_ms <= 400:
            raise ValueError(f"most_delay_ms {self.most_delay_ms}: 20 to 400")
        if bool(self.send_key) != bool(self.receive_key):
            raise ValueError("send_key, receive_key: SRTP needs both")
        if any(key and len(key) != 30 for key in (self.send_key, self.receive_key)):
            raise ValueError("send_key, receive_key: 30 octets, key and salt")


@dataclass(frozen=True, slots=True)
class LegFigures:
    """Of the leg's life, but where it says otherwise. `_ms` of the line's clock."""

    received: int = 0                             # RTP packets from the far end
    sent: int = 0
    lost: int = 0                                 # by sequence numbers; negative never
    late: int = 0                                 # came after their turn
    duplicates: int = 0
    reordered: int = 0
    strangers: int = 0                            # packets from anywhere but the far end
    malformed: int = 0                            # no RTP, or not what was agreed, or not authentic
    refused: int = 0                              # above the rate that a leg may have
    unsent: int = 0                               # our packets that the network did not take
    failures: int = 0                             # of the leg in the box: its audio was made anew
    restarts: int = 0                             # of the far end's stream: SSRC, timestamps
    concealed_ms: int = 0
    stretched_ms: int = 0                         # put in or left out to fit the delay
    jitter_ms: float = 0.0                        # RFC 3550 6.4.1
    depth_ms: float = 0.0                         # from arrival to the ear, now
    most_depth_ms: float = 0.0
    round_trip_ms: float | None = None            # RFC 3550 6.4.1; None: not known yet
    far_jitter_ms: float | None = None            # what the far end says of ours
    far_lost: int | None = None
    mos: float | None = None                      # ITU-T G.107, of the last seconds; None: nothing heard
    remote: str = ""                              # where packets go to
