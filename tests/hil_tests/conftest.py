"""Two software exchanges on one virtual line: telco is the network at end a, pbx the user at end b."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil_tests.instruments.exchange import SoftwareExchange


@dataclass(frozen=True)
class Pair:
    telco: SoftwareExchange
    pbx: SoftwareExchange


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    line, capture = f"virtual:{tmp_path}/line", tmp_path / "telco.pcap"
    with (
        SoftwareExchange(f"{line}/a", side="network", name="telco", overlap=True, capture=capture) as telco,
        SoftwareExchange(f"{line}/b", side="user", name="pbx", overlap=True, hunt="up") as pbx,
    ):
        telco.wait_up()
        pbx.wait_up()
        yield Pair(telco, pbx)
