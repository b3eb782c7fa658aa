"""A box for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recording.catalogue.box import Box, boxes


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    yield from boxes(tmp_path)
