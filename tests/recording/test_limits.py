"""Every request of recordd's, bent: it is refused in a sentence, or answered; nothing else happens."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from appliance.bus.messages import Request
from appliance.config.schema import Config
from appliance.errors import BranchlineError, StateError
from appliance.recording.daemon import carry_out
from tests.recording.bending import OURS, SENTENCE, bent, beyond_all, plain, required
from tests.recording.catalogue.box import Box, boxes


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("box")
    for box in boxes(folder):
        box.parts.run_dir = folder / "run"
        box.parts.config = Config.model_validate({
            "spans": [{"name": "span1", "url": "virtual:x/b", "side": "user", "trunk": "telco"}],
            "media": {"prompts": str(folder / "prompts")}})
        yield box


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_what_is_bent_is_refused_in_a_sentence(shelf: Box, kind: type[Request[Any]]) -> None:
    for request in bent(kind):
        try:
            carry_out(shelf.parts, request)
        except BranchlineError as no:
            assert 0 < len(str(no)) <= SENTENCE
            assert str(no).isprintable()
    for request in beyond_all(kind):
        with pytest.raises(StateError):
            carry_out(shelf.parts, request)


@pytest.mark.parametrize("by", ["", "  ", "x" * 101, "li\nadmin", "li\x1b[31m", "li\u202enimda"])
def test_nobody_is_kept_who_cannot_be_read(shelf: Box, by: str) -> None:
    before = entries(shelf)
    for kind in OURS:
        if "by" in required(kind):
            with pytest.raises(StateError, match=r"^by: who asks"):
                carry_out(shelf.parts, msgspec.convert(plain(kind) | {"by": by}, kind))
    assert entries(shelf) == before


def entries(shelf: Box) -> int:
    with shelf.parts.database.read() as connection:
        count: int = connection.exec_driver_sql("SELECT count(*) FROM chain").scalar_one()
    return count
