"""The decoders that octets from outside reach. A new one is a row of TARGETS.

A row names a module with `fuzz(data: bytes) -> None`, which raises when the decoder does something that it
must not, and `corpus() -> list[bytes]`, valid examples. It may have MOST_OCTETS, what longer inputs are cut
to, and SHARE of the usual number of inputs, where one of them is a long stretch of line.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

MOST_OCTETS = 1_000


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    fuzz: Callable[[bytes], None]
    corpus: list[bytes]
    most_octets: int = MOST_OCTETS
    share: float = 1.0


TARGETS = {                                       # name -> module
    "hdlc": "tests.fuzz.hdlc",
    "console": "tests.fuzz.console",
    "sftp paths": "tests.fuzz.sftp",
    "lapd": "tests.fuzz.lapd",
    "q931": "tests.fuzz.q931",
    "signalling": "tests.fuzz.signalling",
    "link": "tests.fuzz.link",
    "facility": "tests.fuzz.facility",
    "ladder": "tests.fuzz.ladder",
    "e1d": "tests.fuzz.e1d",
    "tdmoe": "tests.e1_driver.test_tdmoe_wire",
    "tdmoe playout": "tests.e1_driver.test_tdmoe_playout",
    "pwe3": "tests.e1_driver.test_pwe3_jitter",
    "card": "tests.firmware.test_wire",
    "card control": "tests.firmware.test_guard_port",
    "g704": "tests.fuzz.g704",
    "cas": "tests.e1_driver.test_cas",
    "prbs": "tests.fuzz.prbs",
    "bert": "tests.fuzz.bert",
    "probe": "tests.fuzz.probe",
    "d-channel test": "tests.fuzz.d_channel",
    "rtp": "tests.fuzz.rtp",
    "answer": "tests.fuzz.answer",
    "recording": "tests.recording.audio.test_damage",
    "bundle": "tests.fuzz.bundle",
}


def load(name: str) -> Target:
    module = importlib.import_module(TARGETS[name])
    return Target(name, module.fuzz, module.corpus(), getattr(module, "MOST_OCTETS", MOST_OCTETS),
                  getattr(module, "SHARE", 1.0))
