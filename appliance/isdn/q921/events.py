"""What a link tells the one that owns it: the indications and confirms of 4.1."""
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Established:
    """The link is up. `by_peer`: the peer asked; `reset`: it was up before; `lost`: messages of ours may be
    lost by it, which is when the Recommendation tells layer 3 of a reset."""

    by_peer: bool
    reset: bool
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The link is down and stays so until one side establishes it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """One layer 3 message, exactly once and in order."""

    info: bytes


@dataclass(frozen=True, slots=True)
class ReceivedUnit:
    """What a UI frame carried: perhaps twice, perhaps late. Call control on primary rate sends none (5.2)."""

    info: bytes


@dataclass(frozen=True, slots=True)
class Trouble:
    """MDL-ERROR indication: a letter of table II.1."""

    letter: str


LinkEvent = Established | Released | Received | ReceivedUnit | Trouble

TROUBLES = {                                      # what the letters stand for; who did it, then what
    "A": "the peer answered an enquiry that we did not make",
    "B": "the peer sent DM, F = 1, that answers nothing",
    "C": "the peer sent UA, F = 1, that answers nothing",
    "D": "the peer sent UA, F = 0, that answers nothing",
    "E": "the peer sent DM: it has no link",
    "F": "the peer set the link up once more",
    "G": "the peer does not answer SABME",
    "H": "the peer does not answer DISC",
    "I": "the peer does not answer our enquiries",
    "J": "the peer acknowledged a frame that we did not send",
    "K": "the peer sent FRMR: it takes us to break the protocol",
    "L": "the peer sent a frame that does not exist, or we hear ourselves",
    "M": "the peer sent information in a frame that has none",
    "N": "the peer sent a frame of a wrong length",
    "O": "the peer sent more information than N201 allows",
}
