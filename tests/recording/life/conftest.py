"""A shelf for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recording.life.shelf import Shelf, shelves


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    yield from shelves(tmp_path)
