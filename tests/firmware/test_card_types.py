"""The firmware as its target sees it: MicroPython's own types, its compiler, its list of what is built in."""

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from firmware import release
from hil_tests.instruments.card import ROOT

STUBS = ROOT / "build" / "typings"
PINNED = ("micropython-rp2-rpi_pico-stubs==1.29.0.post1", "micropython-stdlib-stubs==1.29.0.post2")
HARDWARE = "branchline-e1"


@pytest.fixture(scope="session")
def stubs() -> Path:
    """Apart from everything else: in site-packages they would stand in for Python's own."""
    if not (STUBS / "machine.pyi").exists():
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--target", str(STUBS), *PINNED], check=True)
    return STUBS


@pytest.mark.usefixtures("stubs")
def test_types_are_right_with_micropythons_modules() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "tests/firmware/stubs.ini",
         "--cache-dir", str(STUBS / ".mypy_cache"), "firmware/linecard", "tests/firmware/block_path.py"],
        cwd=ROOT, capture_output=True, text=True, check=False)
    ours = [line for line in ran.stdout.splitlines() if not line.startswith("build/") and "error:" in line]
    assert ours == []                             # the stubs have errors of their own
    assert re.search(r"checked [0-9]+ source files|no issues found", ran.stdout), ran.stdout + ran.stderr


def test_each_module_compiles_for_the_card(tmp_path: Path) -> None:
    release.write_compiled(HARDWARE, tmp_path)
    compiled = {path.relative_to(tmp_path).with_suffix(".py").as_posix() for path in tmp_path.rglob("*.mpy")}
    assert {"firmware/wire.py", "firmware/linecard/main.py", "firmware/linecard/hal/rp2.py"} <= compiled
    assert compiled == built_in()


def built_in() -> set[str]:
    """The modules of ours that firmware/manifest.py names."""
    files: set[str] = set()

    def module(name: str, base_path: str) -> None:
        assert base_path.startswith("$(PORT_DIR)") or (ROOT / "firmware" / name).exists()

    def package(name: str, base_path: str, **names: Any) -> None:
        files.update(f"{name}/{path}" for path in names["files"])

    runpy.run_path(str(ROOT / "firmware" / "manifest.py"),            # as MicroPython's build does
                   {"module": module, "require": str, "package": package})
    return files
