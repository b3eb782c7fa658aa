"""The EFI system partition: GRUB with its configuration inside, and the state of the slots."""

from pathlib import Path

from appliance.box.update.slots import FILES, FOLDER, Slots, block, slots_block
from images.recipe import Recipe
from images.tools import run

CONFIG = Path(__file__).with_name("grub") / "grub.cfg"
# No shell in the serial port: words of units go there until the console's menu does.
ARGUMENTS = ("ro", "panic=10", "loglevel=4", "console=tty0", "console=ttyS0,115200n8", "consoleblank=0",
             "systemd.show_status=yes", "rd.udev.log_level=3")
_MODULES = ("part_gpt fat squash4 gzio xzio loadenv regexp test echo linux boot search search_fs_file serial "
            "terminal reboot sleep normal all_video")
TRIES_FILE = "tries.env"                          # GRUB's own
_FIRST = Slots("A", unusable=frozenset("B"))       # B is empty until the first update


def filled(recipe: Recipe) -> str:
    """GRUB's configuration, for these partitions."""
    text = CONFIG.read_text()
    for name, value in (*recipe.partitions, ("arguments", " ".join(ARGUMENTS))):
        text = text.replace(f"@{name}@", value)
    return text


def build(recipe: Recipe, folder: Path, epoch_s: int) -> Path:
    """The file system, below `folder`."""
    config = folder / "grub.cfg"
    config.write_text(filled(recipe))
    loader = folder / "BOOTX64.EFI"
    dated = {"SOURCE_DATE_EPOCH": str(epoch_s)}
    run(["grub-mkstandalone", "--format=x86_64-efi", f"--output={loader}", "--locales=", "--themes=",
         "--fonts=", f"--install-modules={_MODULES}", f"--modules={_MODULES}",
         f"boot/grub/grub.cfg={config}"], extra=dated)
    image = folder / "esp.vfat"
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(recipe.disk.esp_mib << 20)
    run(["mkfs.vfat", "-F", "32", "-n", "BRANCHLINE", "-i", recipe.partitions.esp[:8], "--invariant", image])
    state = {FILES[0]: slots_block(1, _FIRST), FILES[1]: block({}), TRIES_FILE: block({})}
    run(["mmd", "-i", image, "::EFI", "::EFI/BOOT", f"::{FOLDER}"], extra=dated)
    run(["mcopy", "-i", image, loader, "::EFI/BOOT/BOOTX64.EFI"], extra=dated)
    for name, octets in state.items():
        (folder / name).write_bytes(octets)
        run(["mcopy", "-i", image, folder / name, f"::{FOLDER}/{name}"], extra=dated)
    return image
