"""`python -m images`: the bootable image and its bundle, below build/image. As root, for chroot."""

import os
import shutil
import time
import tomllib
from pathlib import Path

import click

from images import box, bundle, disk, esp, kernel, pki, recipe, release, rootfs
from images.packages.__main__ import epoch_s
from images.tools import BuildError, run

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/image"
DEBS = ROOT / "build/deb"
FILE = click.Path(dir_okay=False, path_type=Path)


class Steps:
    """Says how long each took."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        click.echo(f"{now - self._at:6.1f} s  {what}")
        self._at = now


@click.command(help=__doc__)
@click.option("--version", help="Of the image. [the project's]")
@click.option("--key", metavar="FILE|URL", help="Signs bundles; a file or a PKCS#11 URL.")
@click.option("--cert", type=FILE, help="The signer's.")
@click.option("--keyring", type=FILE, help="What boxes trust. [without the three: a test's]")
@click.option("--deb", type=FILE, help="The package branchline. [the newest below build/deb]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=BUILD)
@click.option("--keep-tree", is_flag=True, help="Leave the root file system's tree there.")
def main(version: str | None, key: str | None, cert: Path | None, keyring: Path | None, deb: Path | None,
         out: Path, keep_tree: bool) -> None:
    try:
        if os.geteuid() != 0:
            raise BuildError("mmdebstrap, chroot and device files need root: sudo make image")
        signer = pki.given(key, cert, keyring) or pki.test(out / "test-pki")
        build(out, version or _version(), signer, deb or _newest(), keep_tree)
    except BuildError as error:
        raise click.ClickException(str(error)) from None


def build(out: Path, version: str, signer: pki.Signer, deb: Path, keep_tree: bool = False) -> None:
    """branchline-VERSION.img, .raucb, .squashfs, .cdx.json and .licences.txt below `out`."""
    plan, epoch, steps = recipe.load(), epoch_s(), Steps()
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    ends = ("squashfs", "img", "raucb", "cdx.json", "licences.txt")
    root, image, update, parts, licences = (out / f"branchline-{version}.{end}" for end in ends)

    package = box.package(plan, version, work, epoch)
    steps.done(package.name)
    system = rootfs.system(plan, {*rootfs.depends(deb), *rootfs.depends(package)}, out)
    steps.done("Debian's packages")
    tree = work / "tree"
    rootfs.copy(system, tree)
    rootfs.install(tree, [deb, package])
    steps.done("our packages")
    shutil.copy(signer.keyring, tree / "etc/rauc/keyring.pem")
    kernel_release = kernel.prepare(tree, plan, epoch)
    steps.done(f"kernel {kernel_release}, initramfs")
    found = release.parts(tree)
    release.write(tree, {
        "VERSION": version, "BUILT": release.built(epoch), "COMPATIBLE": plan.compatible,
        "COMMIT": run(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip(),
        "KERNEL": kernel_release, "KEYS": "test" if signer.test else "product"})
    parts.write_text(release.sbom(found, version, epoch))
    licences.write_text(release.licences(found))
    shutil.copy(licences, tree / "usr/share/doc/branchline-box/licences.txt")
    rootfs.clean(tree)
    rootfs.clamp(tree, epoch)
    disk.squash(tree, plan, root, epoch)
    steps.done(f"{root.name}: {root.stat().st_size / 1e6:.1f} MB, {len(found)} parts")
    disk.build(plan, work, esp.build(plan, work, epoch), root, disk.data(plan, work, epoch), image)
    steps.done(image.name)
    bundle.build(plan, root, version, signer, update, epoch)
    steps.done(f"{update.name}: {update.stat().st_size / 1e6:.1f} MB")
    if not keep_tree:
        shutil.rmtree(tree)
    if signer.test:
        click.echo("signed by a test key: the image says KEYS=test and is not for products")


def _version() -> str:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version


def _newest() -> Path:
    found = sorted(DEBS.glob("branchline_*_amd64.deb"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BuildError(f"{DEBS}: no branchline_*_amd64.deb: make deb makes it")
    return found[-1]


if __name__ == "__main__":
    main(prog_name="python -m images")
