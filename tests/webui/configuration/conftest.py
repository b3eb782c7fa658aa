"""The configuration's versions behind the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webui.configuration.kept import Kept
from tests.webui.conftest import FakeExchange


@pytest.fixture
def kept(exchange: FakeExchange, tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(exchange, tmp_path / "box")
    yield kept
    kept.close()
