"""python -m images.packages: the Debian packages, below build/deb."""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import board
from appliance.bus.messages import DAEMONS
from appliance.launch import prompts
from appliance.launch.demo_box import CATALOGUE
from appliance.media import speech, voice
from images.packages import deb, venv
from images.tools import BuildError, run

ROOT = Path(__file__).resolve().parents[2]
RECIPES = Path(__file__).parent
PROMPTS = Path("usr/share/branchline/prompts")
RULES = Path("usr/lib/udev/rules.d")
TMPFILES, OWNERS = Path("usr/lib/tmpfiles.d/branchline.conf"), Path("usr/share/branchline/owners.conf")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="images.packages", description=__doc__)
    parser.add_argument("--arch", choices=sorted(venv.MACHINES), default="amd64")
    parser.add_argument("--out", type=Path, default=ROOT / "build/deb")
    args = parser.parse_args(argv)
    try:
        print(branchline(args.arch, args.out))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def epoch_s() -> int:
    """Of the build: SOURCE_DATE_EPOCH, else the last commit's time."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or run(["git", "-C", ROOT, "log", "-1", "--format=%ct"]))


def branchline(arch: str, out: Path) -> Path:
    """The package of the daemons and the command. BuildError: what is missing for it."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="branchline-deb-") as folder:
        work = Path(folder)
        source, tree = work / "source", work / "tree"
        _copy_source(source)
        lay_system(tree, Places())
        venv.lay(tree, arch, source, ROOT / "constraints.txt", work)
        venv.compile_all(tree)
        shutil.copytree(_prompts(out), tree / PROMPTS)
        fields = {"name": "branchline", "version": _version(), "arch": arch}
        return deb.build(RECIPES / "branchline", tree, fields, out, epoch_s())


@dataclass(frozen=True, slots=True)
class Places:
    """Where a box keeps its things: those of a plain Debian machine, unless said otherwise."""

    config: str = "/etc/branchline"
    state: str = "/var/lib/branchline"
    run: str = "/run/branchline"


def lay_system(tree: Path, places: Places) -> None:
    """Units, users and folders below `tree`."""
    recipe = RECIPES / "branchline"
    shutil.copytree(recipe / "root", tree)
    units = tree / "usr/lib/systemd/system"
    sandbox, daemon = ((recipe / name).read_text() for name in ("sandbox.conf", "daemon.conf"))
    for name in ("bus", *DAEMONS):                # what a unit says itself comes later, and holds
        unit = units / f"branchline-{name}.service"
        unit.write_text("".join([sandbox, daemon * (name in DAEMONS), unit.read_text()]))
    (tree / RULES).mkdir(parents=True)
    for rules in (board.RULES, *board.FOLDER.glob("*/*.rules")):      # of every board: they do others no harm
        shutil.copyfile(rules, tree / RULES / rules.name)
    for name, to in (("tmpfiles.conf", TMPFILES), ("owners.conf", OWNERS)):
        (tree / to).parent.mkdir(parents=True, exist_ok=True)
        (tree / to).write_text((recipe / name).read_text().format(**asdict(places)))


def _prompts(out: Path) -> Path:
    """A folder with what the demonstration's flows and values of any kind say, in all languages; kept."""
    texts = prompts.vocabulary(list(speech.CURRENCIES)) | prompts.load(CATALOGUE)
    said = hashlib.sha256(json.dumps([texts, voice.VOICES, voice.LEVEL_DBM0]).encode()).hexdigest()[:16]
    folder, making = out / f"prompts-{said}", out / "prompts.making"
    if not folder.exists():
        for currency in speech.CURRENCIES:        # one run of the speech engine would be too long for all
            prompts.build(CATALOGUE, making, [currency])
        making.rename(folder)
    return folder


def _copy_source(to: Path) -> None:
    """What belongs to the project: setuptools would pack leftovers of other builds, too."""
    names = run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    for name in names.split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    run([Path(sys.executable).with_name("pybabel"), "-q", "compile", "-d", to / "webui/translations"])


def _version() -> str:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version


if __name__ == "__main__":
    sys.exit(main())
