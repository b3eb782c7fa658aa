from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recording.vault.box import Box, make_box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = make_box(tmp_path / "recordings")
    yield box
    box.parts.database.close()
