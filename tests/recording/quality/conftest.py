from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus.messages import PublishQualityForm
from tests.recording.quality.box import Box, make_box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path)
    made.ask(PublishQualityForm(name="service", by="sun"))
    yield made
    made.parts.database.close()
