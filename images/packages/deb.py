"""A Debian package out of a folder: the same input gives the same octets.

Ref: Debian Policy 4.6, chapters 5 (control) and 10.9 (modes); deb(5). All times are that of the source.
"""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from images.tools import run

_SCRIPTS = ("preinst", "postinst", "prerm", "postrm")


def build(recipe: Path, tree: Path, fields: dict[str, str], out: Path, epoch_s: int) -> Path:
    """The package of `tree`, below `out`. `recipe`: folder with scripts and control, its {names} `fields`."""
    control = tree / "DEBIAN"
    control.mkdir()
    _modes(tree)
    size_kib = sum(-(-path.lstat().st_size // 1024) for path in tree.rglob("*") if path.is_file())
    text = (recipe / "control").read_text(encoding="utf-8").format(**fields, size_kib=size_kib)
    (control / "control").write_text(text, encoding="utf-8")
    files = sorted(path for path in tree.rglob("*")
                   if path.is_file() and not path.is_symlink() and control not in path.parents)
    names = [str(path.relative_to(tree)) for path in files]
    (control / "md5sums").write_text("".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {name}\n"
        for path, name in zip(files, names, strict=True)))
    if settings := [name for name in names if name.startswith("etc/")]:
        (control / "conffiles").write_text("".join(f"/{name}\n" for name in settings))
    for script in _SCRIPTS:
        if (recipe / script).exists():
            shutil.copyfile(recipe / script, control / script)
    _modes(control)
    for script in _SCRIPTS:
        if (control / script).exists():
            (control / script).chmod(0o755)
    for path in (*tree.rglob("*"), tree):         # what a cache had is older, and each cache's differs
        os.utime(path, (epoch_s, epoch_s), follow_symlinks=False)
    package = out / f"{fields['name']}_{fields['version']}_{fields['arch']}.deb"
    run(["dpkg-deb", "--root-owner-group", "-Zzstd", "-z12", "--build", tree, package],
        extra={"SOURCE_DATE_EPOCH": str(epoch_s)})
    return package


def _modes(tree: Path) -> None:
    """As Policy wants them, whatever umask and file system the build has."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
