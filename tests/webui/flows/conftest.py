"""Flows behind the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webui.conftest import FakeExchange
from tests.webui.flows.shelf import FlowShelf


@pytest.fixture
def flows(exchange: FakeExchange, tmp_path: Path) -> Iterator[FlowShelf]:
    shelf = FlowShelf(exchange, tmp_path / "box")
    yield shelf
    shelf.close()
