"""What a box begins with before anybody has written a configuration."""

import shutil
from pathlib import Path

import pytest

import board
from appliance.box.provision import first
from appliance.box.provision.kept import CONFIG
from appliance.config.load import load
from tests.conftest import ROOT

SHIPPED = ROOT / "images/packages/branchline/root"
BOARDS = board.known()


def box(root: Path, board_id: str) -> Path:
    """A root folder as the package and the board leave it; where its configuration is."""
    shutil.copytree(SHIPPED / "usr/share", root / "usr/share")
    (root / first.BOARD).parent.mkdir(parents=True)
    (root / first.BOARD).write_text(f"{board_id}\n")
    return root / CONFIG / "branchline.yaml"


def lay(root: Path) -> bool:
    return first.lay(root, own=lambda descriptor, user, group: None)


@pytest.mark.need(14)
@pytest.mark.parametrize("board_id", BOARDS)
@pytest.mark.parametrize("example_there", [False, True])
def test_a_new_box_begins_with_the_lines_of_its_board(
        tmp_path: Path, board_id: str, example_there: bool) -> None:
    place, described = box(tmp_path, board_id), board.load(board_id)
    example = tmp_path / first.EXAMPLE
    if example_there:                             # systemd-tmpfiles was there before
        place.parent.mkdir(parents=True)
        shutil.copy(example, place)
    assert lay(tmp_path) is bool(described.spans)
    if not described.spans:
        assert place.exists() is example_there
        return
    shutil.copytree(SHIPPED / "usr/share/branchline/example", place.parent, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns(place.name))
    made = load(place)
    assert [(span.name, span.url) for span in made.spans] == [
        (span.name, span.url) for span in described.spans]
    assert [card.control for card in made.cards] == (
        [described.linecard.control] if described.linecard else [])
    assert (made.web.host, made.web.tls) == (first.EVERYBODY, "auto")
    assert made.console.older_clients and made.console.people == []  # Debian 12's ssh is an installer's
    text = example.read_text()
    others = text[text.index("\nmedia:"):text.index("\nweb:")]
    assert others in place.read_text()
    assert [path.name for path in place.parent.glob("branchline*")] == [place.name]
    assert place.stat().st_mode & 0o777 == 0o640
    assert not lay(tmp_path), "once"


def test_what_anybody_has_written_stays(tmp_path: Path) -> None:
    place = box(tmp_path, next(name for name in BOARDS if board.load(name).spans))
    place.parent.mkdir(parents=True)
    own = (tmp_path / first.EXAMPLE).read_text() + "\n"
    place.write_text(own)
    assert not lay(tmp_path)
    assert place.read_text() == own


def test_a_laptop_and_an_unknown_board_get_none(tmp_path: Path) -> None:
    place = box(tmp_path, "pc-of-tomorrow")
    with pytest.raises(board.BoardError, match="no board 'pc-of-tomorrow'"):
        lay(tmp_path)
    (tmp_path / first.BOARD).unlink()
    assert not lay(tmp_path)
    assert not place.exists()
