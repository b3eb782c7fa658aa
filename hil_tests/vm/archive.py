"""A guest's memory file system: an archive, and a Python in it with libraries of the virtual environment.

Ref: Linux Documentation/driver-api/early-userspace/buffer-format.rst ("newc"). Archives may follow one
another, so what does not change between runs is packed once.
"""

import hashlib
import re
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

PYTEST = ("pytest", "_pytest", "pytest_timeout", "pluggy", "iniconfig", "packaging", "pygments", "py")
UNUSED = {"test", "tests", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo", "site-packages",
          "pydoc_data", "f2py", "_pyinstaller"}


class Archive:
    """A newc cpio archive, folders made as they are needed."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self._names: set[str] = set()

    def folder(self, name: str) -> None:
        if name and name not in self._names:
            self.folder(name.rpartition("/")[0])
            self._entry(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, octets: bytes, mode: int = 0o644, mtime: int = 0) -> None:
        name = name.lstrip("/")
        if name not in self._names:
            self.folder(name.rpartition("/")[0])
            self._entry(name, stat.S_IFREG | mode, octets, mtime)

    def copy(self, path: Path, name: str | Path | None = None) -> None:
        """A file with its mode and time (by which Python trusts what it compiled); links are followed."""
        status = path.stat()
        self.file(str(name or path), path.read_bytes(), status.st_mode & 0o777, int(status.st_mtime))

    def tree(self, folder: Path, name: str | Path | None = None, unused: Iterable[str] = ()) -> None:
        for path in sorted(folder.iterdir()):
            inside = f"{name or folder}/{path.name}"
            if path.is_dir():
                if path.name not in unused:
                    self.tree(path, inside, unused)
            elif path.suffix not in (".a", ".pyi", ".c", ".h"):
                self.copy(path, inside)

    def console(self) -> None:
        """/dev/console, without which the kernel's first process has nowhere to write."""
        self.folder("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, b"", device=(5, 1))

    def close(self) -> bytes:
        self._entry("TRAILER!!!", 0, b"")
        return bytes(self.octets)

    def _entry(self, name: str, mode: int, octets: bytes, mtime: int = 0,
               device: tuple[int, int] = (0, 0)) -> None:
        self._names.add(name)
        fields = (len(self._names), mode, 0, 0, 1, mtime, len(octets), 0, 0, *device, len(name) + 1, 0)
        head = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
        self.octets += head + b"\0" * (-len(head) % 4) + octets + b"\0" * (-len(octets) % 4)


def python() -> Path:
    """The interpreter, at the same place in the guest."""
    return Path(sys.executable).resolve()


def base(folder: Path, libraries: tuple[str, ...], files: dict[str, Path], programs: tuple[Path, ...] = ()
         ) -> Path:
    """All that is not ours, packed once for these versions: Python, `libraries` of it, `files` by their names
    in the guest, and what these and `programs` among them are linked with.
    """
    site = Path(sysconfig.get_path("purelib"))
    found = sorted(path for name in libraries for path in site.glob(f"{name}*") if _is(path, name))
    versions = [path.name for name in libraries for path in sorted(site.glob(f"{name}-*.dist-info"))]
    named = [(name, str(path)) for name, path in files.items()]
    key = hashlib.sha256(repr((sys.version, versions, named, sorted(UNUSED))).encode()).hexdigest()[:12]
    path = folder / f"base-{key}.cpio"
    if path.exists():
        return path
    archive = Archive()
    archive.console()
    for name, file in files.items():
        archive.copy(file, name)
    archive.copy(python())
    stdlib = Path(sysconfig.get_path("stdlib"))
    archive.tree(stdlib, unused=UNUSED | {child.name for child in stdlib.glob("config-*")})
    for library in found:
        if library.is_dir():
            archive.tree(library, f"site/{library.name}", UNUSED)
        else:
            archive.copy(library, f"site/{library.name}")
    linked = [python(), *programs, *stdlib.glob("lib-dynload/_[!t]*.so"),
              *(one for library in found for one in _extensions(library))]
    for library in needed(linked):
        if not library.is_relative_to(site):      # those a library brings with it are there already
            archive.copy(library)
    for old in folder.glob("base-*.cpio"):
        old.unlink()
    path.write_bytes(archive.close())
    return path


def _extensions(library: Path) -> Iterable[Path]:
    return library.glob("**/*.so") if library.is_dir() else [library] if library.suffix == ".so" else []


def _is(path: Path, name: str) -> bool:
    return bool(re.fullmatch(rf"{re.escape(name)}(\..*so|\.py|-[^-]+\.dist-info)?", path.name))


def needed(programs: Iterable[Path]) -> list[Path]:
    """The shared libraries of programs and extensions, by ldd."""
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
    return sorted({Path(path) for path in re.findall(r"(?:=>|^)\s+(/\S+) \(0x", told, re.MULTILINE)})
