"""Every board there is: its description holds together with its udev rules and its device-tree overlay."""

import re
import subprocess
from datetime import date
from pathlib import Path

import pytest

import board
from appliance.box.board.identity import Identity
from e1_driver import BACKENDS

BOARDS = board.known()

# udev(7): what a rule looks at, and what it does. Keys of ours only: a new one is looked up and added.
MATCHES = {"ACTION", "SUBSYSTEM", "KERNEL", "KERNELS", "ATTR", "ATTRS", "ENV"}
ASSIGNS = {"GROUP", "MODE", "SYMLINK", "RUN", "ENV"}
TERM = re.compile(r'(?P<key>[A-Z]+)(?:\{(?P<of>[\w/]+)\})?(?P<operator>==|!=|\+=|=)"(?P<value>[^"]*)"')
PROGRAMS = {"/sbin/modprobe", "/bin/chgrp", "/bin/chmod"}


def rules(path: Path) -> list[list[tuple[str, str, str, str]]]:
    """(key, of, operator, value) of each rule. Fails where udev would skip it and only log that."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        terms = []
        for text in line.split(", "):
            match = TERM.fullmatch(text)
            assert match, f"{path}:{number}: {text!r}"
            terms.append((match["key"], match["of"] or "", match["operator"], match["value"]))
        found.append(terms)
    return found


def links(board_: board.Board) -> set[str]:
    return {f"/dev/{name}" for path in (board.RULES, board_.rules) for rule in rules(path)
            for key, _, _, value in rule if key == "SYMLINK" for name in value.split() if "$" not in name}


@pytest.mark.parametrize("path", [board.RULES, *(board.load(one).rules for one in BOARDS)],
                         ids=lambda path: path.stem)
def test_udev_takes_every_rule(path: Path) -> None:
    for rule in rules(path):
        assert rule[0][0] in {"ACTION", "SUBSYSTEM"}, f"{path}: {rule}: for which devices?"
        for key, of, operator, value in rule:
            assert key in (MATCHES if operator in ("==", "!=") else ASSIGNS), (path, key, operator)
            assert bool(of) == (key in {"ATTR", "ATTRS", "ENV"}), (path, key)
            assert operator == "+=" or key not in {"RUN", "SYMLINK"}, f"{path}: {key} takes others' away"
            assert key != "MODE" or value == "0660", f"{path}: {value}: for nobody else"
            assert key != "RUN" or value.split()[0] in PROGRAMS, path
        if any(operator == "+=" and key == "RUN" for key, _, operator, _ in rule):
            assert ("ACTION", "", "==", "add") in rule, f"{path}: {rule}: not again on each change"
        parents = {of for key, of, _, _ in rule if key == "ATTRS"}
        assert not {"bInterfaceNumber", "idVendor"} <= parents, f"{path}: of two devices"


@pytest.mark.parametrize("name", BOARDS)
def test_every_device_of_a_board_has_its_name_from_a_rule(name: str) -> None:
    described = board.load(name)
    text = (described.folder / "board.toml").read_text()
    devices = set(re.findall(r"/dev/[\w/.-]+", text))
    assert devices <= links(described)
    for span in described.spans:
        assert span.url.partition(":")[0] in BACKENDS
    Identity(name, "A", "X-0001", date(2026, 1, 1))                  # its id fits into an EEPROM
    assert (described.folder / "README.md").exists()


@pytest.mark.parametrize("name", [one for one in BOARDS if board.load(one).overlay])
def test_the_overlay_is_of_the_same_pins_and_lights(name: str, tmp_path: Path) -> None:
    described = board.load(name)
    source, blob = described.folder / described.overlay, tmp_path / "overlay.dtbo"
    made = subprocess.run(["dtc", "-@", "-I", "dts", "-O", "dtb", "-o", blob, source],
                          capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (0, "")
    tree = subprocess.run(["dtc", "-I", "dtb", "-O", "dts", blob],
                          capture_output=True, text=True, check=True).stdout
    labels = set(re.findall(r'label = "([^"]+)"', tree))
    assert labels == {getattr(described.leds, one) for one in described.leds.__struct_fields__}
    pins = {node: {int(pin, 16) for pin in found.split()}
            for node, found in re.findall(r"(branchline-\w+) \{\s*brcm,pins = <([^>]+)>", tree)}
    inputs = [getattr(described.inputs, one) for one in described.inputs.__struct_fields__]
    assert pins["branchline-inputs"] == {pin.line for pin in inputs if pin}
    assert sum(map(len, pins.values())) == len(set().union(*pins.values())), "a pin is used twice"


GOOD = """
id = "new"
name = "New"
arch = "amd64"
[eeprom]
bus = "/dev/i2c-1"
address = 0x50
[temperature.case]
file = "/sys/x"
warm_celsius = 60
hot_celsius = 70
[inputs]
relay = { chip = "/dev/gpio", line = 4 }
"""


@pytest.mark.parametrize(("old", "new", "words"), [
    ("arch = ", "# ", "top: Object missing required field `arch`"),
    ('"amd64"', '"mips"', "arch: Invalid enum value 'mips'"),
    ("0x50", "0x80", "eeprom.address: Expected `int` <= 119"),
    ("0x50", '"50"', "eeprom.address: Expected `int`, got `str`"),
    ("[eeprom]", "[eeprom]\nwidth = 2", "eeprom: Object contains unknown field `width`"),
    ("line = 4", "pin = 4", "inputs.relay: Object contains unknown field `pin`"),
    ("warm_celsius = 60", "warm_celsius = 71", "temperature[...]: hot_celsius is to be above"),
    ('file = "/sys/x"', "", "temperature[...]: give bus and address, or file"),
    ('"/sys/x"', '"/etc/passwd"', "temperature[...].file: Expected `str` matching regex"),
    ('id = "new"', 'id = "other"', "id: is 'other' in the folder of 'new'"),
    ('id = "new"', 'id = "new', "Illegal character"),
])
def test_an_error_names_file_and_key(old: str, new: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "board.toml"
    path.parent.mkdir()
    path.write_text(GOOD)
    assert board.read(path).inputs.relay == board.Pin(chip="/dev/gpio", line=4)
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(board.BoardError) as raised:
        board.read(path)
    assert str(raised.value).startswith(f"{path}: ") and words in str(raised.value)


def test_which_board_this_is(tmp_path: Path) -> None:
    file = tmp_path / "board"
    assert board.of_this_box(file) is None        # a laptop
    file.write_text("pc\n")
    assert board.of_this_box(file) == board.load("pc")
    file.write_text("../pc\n")
    with pytest.raises(board.BoardError, match=rf"{file}: no board '../pc', there are cm, pc, qemu"):
        board.of_this_box(file)
