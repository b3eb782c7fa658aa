"""The disk: ESP, two slots, data. The first slot is filled; the data partition grows at the first start."""

from pathlib import Path

from images.recipe import Recipe
from images.tools import BuildError, run

_ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
_LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"


def squash(tree: Path, recipe: Recipe, to: Path, epoch_s: int) -> None:
    """BuildError: larger than the recipe allows, or than a slot."""
    to.unlink(missing_ok=True)
    how = recipe.squashfs
    level = ["-Xcompression-level", str(how.level)] if how.compression == "gzip" else []
    run(["mksquashfs", tree, to, "-noappend", "-quiet", "-no-progress", "-comp", how.compression, *level,
         "-b", f"{how.block_kib}K"], extra={"SOURCE_DATE_EPOCH": str(epoch_s)})
    octets = to.stat().st_size
    limit = min(how.limit_mb * 1_000_000, recipe.disk.slot_mib << 20)
    if octets > limit:
        raise BuildError(f"{to}: {octets / 1e6:.1f} MB, at most {limit / 1e6:.1f} MB are allowed")


def data(recipe: Recipe, folder: Path, epoch_s: int) -> Path:
    """An empty file system; the first start makes what belongs in it."""
    image = folder / "data.ext4"
    image.unlink(missing_ok=True)
    run(["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", "data", "-U", recipe.partitions.data,
         "-E", f"hash_seed={recipe.partitions.data},root_owner=0:0", "-m", "1", image,
         f"{recipe.disk.data_mib}M"],
        extra={"E2FSPROGS_FAKE_TIME": str(epoch_s)})
    return image


def build(recipe: Recipe, folder: Path, esp: Path, root: Path, data_image: Path, to: Path) -> None:
    rows = [("esp", _ESP, recipe.partitions.esp, esp, recipe.disk.esp_mib),
            ("a", _LINUX, recipe.partitions.a, root, recipe.disk.slot_mib),
            ("b", _LINUX, recipe.partitions.b, None, recipe.disk.slot_mib),
            ("data", _LINUX, recipe.partitions.data, data_image, recipe.disk.data_mib)]
    text = [f'image {to.name} {{', '  hdimage {', '    partition-table-type = "gpt"', '    align = 1M',
            f'    disk-uuid = "{recipe.partitions.disk}"', '  }']
    for name, kind, uuid, image, mib in rows:
        text += [f'  partition {name} {{', f'    partition-type-uuid = "{kind}"',
                 f'    partition-uuid = "{uuid}"', f'    size = "{mib}M"',
                 *([f'    image = "{image}"'] if image else []), '  }']
    config = folder / "genimage.cfg"
    config.write_text("\n".join([*text, "}", ""]))
    empty = folder / "genimage.root"
    empty.mkdir(exist_ok=True)
    run(["genimage", "--config", config, "--rootpath", empty, "--tmppath", folder / "genimage.tmp",
         "--inputpath", folder, "--outputpath", to.parent])
