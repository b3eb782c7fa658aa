"""The guest's memory file system: busybox, Python with numpy and pytest, DAHDI's modules, our code."""

from collections.abc import Iterable
from pathlib import Path

from hil_tests.dahdi.packages import Parts
from hil_tests.vm import archive as vm
from hil_tests.vm.archive import Archive, needed

OURS = ("e1_driver", "appliance", "hil_tests", "tests/__init__.py", "tests/e1_driver/__init__.py",
        "tests/e1_driver/contract.py", "tests/e1_driver/ends.py", "tests/e1_driver/circuits.py",
        "tests/e1_driver/two_ends.py")
LIBRARIES = ("numpy", "numpy.libs", "cffi", "_cffi_backend", *vm.PYTEST, "click", "msgspec")
TC = Path("/usr/sbin/tc")                         # of iproute2, as it is installed here
TOOLS = ("usr/sbin/dahdi_cfg", "usr/lib/x86_64-linux-gnu/libtonezone.so.2.0")
GUEST = Path(__file__).parent / "guest"


def base(parts: Parts) -> Path:
    """All that is not ours, packed once for these versions of Debian, Python and numpy."""
    files = {"bin/busybox": parts.root / "bin/busybox", str(TC): TC,
             **{f"modules/{module.name}": module for module in parts.modules},
             **{tool: parts.root / tool for tool in TOOLS}}
    return vm.base(parts.folder, LIBRARIES, files, (TC, parts.root / TOOLS[0]))


def ours(root: Path, run: str, files: Iterable[str], extensions: Iterable[Path]) -> bytes:
    """Our code as it is now, compiled extensions with their libraries, and what to run."""
    archive = Archive()
    archive.copy(GUEST / "init", "init")
    archive.tree(GUEST, "guest")
    tests = " ".join(f"hil_tests/dahdi/guest/{test}" for test in files)
    settings = f"python={vm.python()}\nrun={run}\ntests='{tests}'\n"
    archive.file("guest/run", settings.encode())
    for name in OURS:
        path = root / name
        if path.is_dir():
            archive.tree(path, f"branchline/{name}", {"__pycache__"})
        else:
            archive.copy(path, f"branchline/{name}")
    extensions = list(extensions)
    for extension in extensions:
        archive.copy(extension, f"branchline/{extension.relative_to(root)}")
    for library in needed(extensions):
        archive.copy(library)
    return archive.close()
