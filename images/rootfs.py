"""The root file system: Debian by mmdebstrap, kept while its packages are the same; our packages on top."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from images.recipe import Recipe
from images.tools import BuildError, run

DEBIAN_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
# How this machine reaches Debian's mirrors: kept for the build. What it does with packages is not.
_REACHING = re.compile(r'^Acquire::(?:(?:https?)::.*|Check-Date|Check-Valid-Until) ".*";$')


def sources(suite: str) -> list[str]:
    """Lines for apt: Debian's suite and its updates, from where this machine has them. BuildError: none."""
    rows = run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(COMPONENT)",
                "Created-By: Packages"]).splitlines()
    found = sorted({
        f"deb [signed-by={DEBIAN_KEYS}] {uri} {codename} {component}"
        for origin, codename, uri, component in (row.split("|") for row in rows)
        if origin == "Debian" and codename.partition("-")[0] == suite and component == "main"})
    if not found:
        raise BuildError(f"apt of this machine has no Debian {suite}: add its sources, then apt-get update")
    return found


def system(recipe: Recipe, wanted: Iterable[str], folder: Path) -> Path:
    """A tree below `folder` with Debian's packages, made when there is none of the same.

    Remade when the recipe's packages, `wanted` (dependencies of ours) or the versions on the mirror change.
    """
    names = sorted({*recipe.packages, recipe.kernel, *wanted})
    lines = sources(recipe.suite)
    options = [line for line in run(["apt-config", "dump"]).splitlines() if _REACHING.match(line)]
    candidates = run(["apt-cache", "policy", *(re.split(r"[ (|]", name)[0] for name in names)])
    versions = re.findall(r"^(\S+):$|^  Candidate: (\S+)$", candidates, re.MULTILINE)
    key = hashlib.sha256(json.dumps([names, lines, versions, recipe.without]).encode()).hexdigest()[:16]
    tree = folder / f"system-{key}"
    if tree.exists():
        return tree
    for old in folder.glob("system-*"):
        shutil.rmtree(old)
    making = folder / "system.making"
    if making.exists():
        shutil.rmtree(making)
    run(["mmdebstrap", "--variant=essential", f"--include={','.join(names)}", "--format=directory",
         *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.without),
         *(f"--aptopt={line.removesuffix(';')}" for line in options),
         '--aptopt=Acquire::Languages "none"', recipe.suite, making, "-"],
        given="\n".join(lines) + "\n", extra={"INITRD": "No"})         # made once, when our hooks are there
    making.rename(tree)
    return tree


def copy(tree: Path, to: Path) -> None:
    if to.exists():
        shutil.rmtree(to)
    run(["cp", "-a", "--reflink=auto", tree, to])


def install(tree: Path, packages: Iterable[Path]) -> None:
    """Our packages; what they depend on must be there. BuildError with what dpkg says."""
    inside = tree / "run/packages"
    inside.mkdir()
    for package in packages:
        shutil.copy(package, inside)
    names = [f"/run/packages/{package.name}" for package in packages]
    run(["chroot", tree, "dpkg", "--install", *names])
    shutil.rmtree(inside)


def depends(package: Path) -> Iterator[str]:
    """What a package depends on or recommends, the first of each choice; ours are left out."""
    said = run(["dpkg-deb", "--field", package, "Depends", "Pre-Depends", "Recommends"])
    for line in said.splitlines():
        for choice in line.partition(":")[2].split(","):
            name = re.split(r"[ (|:]", choice.strip())[0]
            if name and not name.startswith("branchline"):
                yield name


# What must not be in an image: of this build alone, made anew by each box, or never used there.
_REMOVED = (
    "var/cache/apt", "var/cache/debconf", "var/cache/ldconfig", "var/lib/apt/lists",
    "var/lib/dbus/machine-id",
    "etc/machine-id", "etc/hostname", "etc/resolv.conf", "etc/ssh/ssh_host_*", "etc/apt/sources.list*",
    "etc/apt/trusted.gpg*", "var/log/*", "tmp/*", "run/*", "root/.*", "var/lib/systemd/random-seed",
    "var/lib/systemd/catalog/database", "boot/*.old", "var/lib/dpkg/*-old", "etc/*-", "etc/.pwd.lock",
    "var/lib/initramfs-tools", "var/backups/*",
)


def clean(tree: Path) -> None:
    for pattern in _REMOVED:
        for path in tree.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for name in ("run", "tmp", "var/log/journal", "var/cache/apt/archives/partial",
                 "var/lib/apt/lists/partial"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    (tree / "etc/machine-id").write_text("uninitialized\n")         # the initramfs writes the one of /data


def clamp(tree: Path, epoch_s: int) -> None:
    """Nothing is younger than `epoch_s`: the same input gives the same squashfs."""
    for folder, names, files in os.walk(tree):
        for name in (".", *names, *files):
            path = Path(folder, name)
            if path.lstat().st_mtime > epoch_s:
                os.utime(path, (epoch_s, epoch_s), follow_symlinks=False)
