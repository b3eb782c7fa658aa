"""The kernel in the tree: its modules trimmed, its initramfs made, both under names that GRUB knows."""

import shutil
from pathlib import Path

from images.recipe import Recipe
from images.tools import BuildError, run


def prepare(tree: Path, recipe: Recipe, epoch_s: int) -> str:
    """The kernel's release. BuildError: a row of `without_modules` names nothing (any more)."""
    releases = sorted(path.name for path in (tree / "usr/lib/modules").iterdir())
    if len(releases) != 1:
        raise BuildError(f"{tree}: {len(releases)} kernels, one is wanted: {', '.join(releases)}")
    release = releases[0]
    modules = tree / "usr/lib/modules" / release / "kernel"
    for name in recipe.without_modules:
        if not (modules / name).is_dir():
            raise BuildError(f"images/recipe.toml: without_modules: {release} has no {name}")
        shutil.rmtree(modules / name)
    run(["chroot", tree, "depmod", release])
    boot = tree / "boot"
    run(["chroot", tree, "mkinitramfs", "-o", "/boot/initrd.img", release],
        extra={"SOURCE_DATE_EPOCH": str(epoch_s)})
    (boot / f"vmlinuz-{release}").rename(boot / "vmlinuz")
    for name in ("System.map", "config"):
        (boot / f"{name}-{release}").unlink()
    for link in ("vmlinuz", "initrd.img", "vmlinuz.old", "initrd.img.old"):
        (tree / link).unlink(missing_ok=True)     # Debian's symbolic links in /
    return release
