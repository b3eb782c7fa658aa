"""Update bundles: a slot's content with its version, signed, in RAUC's verity format."""

import shutil
import tempfile
from pathlib import Path

from images.pki import Signer
from images.recipe import Recipe
from images.tools import run


def build(recipe: Recipe, root: Path, version: str, signer: Signer, to: Path, epoch_s: int) -> None:
    to.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix="bundle-") as name:
        folder = Path(name)
        (folder / "rootfs.img").hardlink_to(root)
        (folder / "manifest.raucm").write_text(
            f"[update]\ncompatible={recipe.compatible}\nversion={version}\n\n"
            "[bundle]\nformat=verity\n\n[image.rootfs]\nfilename=rootfs.img\n")
        # The image is compressed already.
        run(["rauc", "bundle", f"--cert={signer.cert}", f"--key={signer.key}", f"--keyring={signer.keyring}",
             "--mksquashfs-args=-noD", folder, to], extra={"SOURCE_DATE_EPOCH": str(epoch_s)})


def described(bundle: Path, keyring: Path) -> str:
    """What RAUC says of it. BuildError: its signature does not fit `keyring`."""
    return run([shutil.which("rauc") or "rauc", "info", f"--keyring={keyring}", bundle])
