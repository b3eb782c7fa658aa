"""The package branchline-box: the files that turn Debian into the appliance."""

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from appliance.bus.messages import DAEMONS
from images.packages import deb
from images.packages.__main__ import OWNERS, RECIPES, TMPFILES, Places
from images.recipe import Recipe

RECIPE = Path(__file__).parent
PLACES = Places(config="/data/branchline/config", state="/data/branchline/state")
_FILLED = ("etc/rauc/system.conf",)               # @names@ of the recipe


def package(recipe: Recipe, version: str, out: Path, epoch_s: int) -> Path:
    """The .deb, below `out`."""
    with tempfile.TemporaryDirectory(prefix="branchline-box-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(RECIPE / "root", tree, symlinks=True)
        for name in _FILLED:
            path = tree / name
            text = path.read_text().replace("@compatible@", recipe.compatible)
            for key, value in recipe.partitions:
                text = text.replace(f"@{key}@", value)
            path.write_text(text)
        _lay_places(tree)
        for folder in ("usr/share/doc/branchline-box", "data"):
            (tree / folder).mkdir(parents=True)
        fields = {"name": "branchline-box", "version": version, "arch": "all"}
        return deb.build(RECIPE, tree, fields, out, epoch_s)


def _lay_places(tree: Path) -> None:
    """In place of branchline's own: everything that daemons keep is on the data partition."""
    theirs, plain = RECIPES / "branchline", Places()
    for name, to in (("tmpfiles.conf", TMPFILES), ("owners.conf", OWNERS)):
        (tree / to).parent.mkdir(parents=True, exist_ok=True)
        (tree / to).write_text((theirs / name).read_text().format(**asdict(PLACES)))
    defaults = (theirs / "root/etc/branchline/defaults").read_text()
    (tree / "etc/branchline").mkdir()
    (tree / "etc/branchline/defaults").write_text(
        defaults.replace(plain.config, PLACES.config).replace(plain.state, PLACES.state))
    for name in DAEMONS:
        drop_in = tree / f"usr/lib/systemd/system/branchline-{name}.service.d/box.conf"
        drop_in.parent.mkdir()
        drop_in.write_text("[Service]\nReadWritePaths=-/data/branchline\n")
    restore = tree / "usr/lib/systemd/system/branchline-restore.service.d/box.conf"
    restore.parent.mkdir()
    restore.write_text(f"[Unit]\nRequiresMountsFor={PLACES.config} {PLACES.state}\n"
                       "After=data-branchline-state-recordings.mount\n")
