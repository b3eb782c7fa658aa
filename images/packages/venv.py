"""/opt/branchline: Debian's Python, our wheel and the pinned ones, laid down without running any of it.

Wheels are taken by tags, so that another architecture's tree is made in the same way. Nothing of pip remains.
"""

import os
import re
import shutil
import sys
from pathlib import Path

from images.tools import BuildError, run

PLACE = Path("opt/branchline")
PYTHON = "/usr/bin/python3.11"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}                   # Debian's name -> Python's
SITE = PLACE / "lib/python3.11/site-packages"

_GLIBC = 36                                       # Debian 12 has 2.36: wheels for it and for older ones run
_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
# Our folders that a box has, with their data. The bench stays with the source.
_OURS = ("appliance", "board", "e1_driver", "firmware", "webui")
_SOURCE_ONLY = (".md", ".po", ".pot", ".cfg")

# Below site-packages, what no box ever reads. A pattern that matches nothing is an error.
_UNUSED = (
    "hil_tests", "bin",
    "**/tests", "**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.c", "**/*.h", "**/py.typed",
    "numpy/f2py", "numpy/distutils", "numpy/_core/lib", "numpy/_pyinstaller",
    "sqlalchemy/testing",
    "reactivex", "reactivex-*.dist-info",         # influxdb-client's other ways to write
    # of an installer: paths of this machine, and what it would take to uninstall
    "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.dist-info/direct_url.json",
    "PIL/_avif.*.so", "pillow.libs/libavif-*",    # pictures that nobody draws
    "dateutil/zoneinfo/*.tar.gz", "pytz/zoneinfo",                   # Debian's tzdata is kept up to date
)
_COMMANDS = {"branchline": "appliance.launch.cli", "e1ctl": "e1_driver.ctl.cli"}
_SCRIPT = """#!/{place}/bin/python -I
import sys

from {entry} import main

sys.argv[0] = "{name}"
sys.exit(main())
"""

# Whose docstrings are read where they run: commands print them.
_EXPLAINED = ("appliance/launch", "e1_driver/ctl", "appliance/box")

# Folders of which a few files are used.
_KEPT = {
    "babel/locale-data": r"(root|en|zh)(_\w+)?\.dat",
    # What appliance/box/telemetry/client.py enters: a write, and no other of InfluxDB's questions.
    "influxdb_client/domain": r"write_precision\.py",
    "influxdb_client/service": r"(_base|signin|signout|write)_service\.py",
    "botocore/data": r"s3|(endpoints|partitions|_retry|sdk-default-configuration)\.json(\.gz)?",
}


def lay(tree: Path, arch: str, source: Path, constraints: Path, work: Path) -> None:
    """The environment below `tree` out of `source`, a clean copy. BuildError: what there is no wheel of."""
    wheels = work / "wheels"
    wheels.mkdir()
    run([*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, source])
    ours = next(wheels.glob("branchline-*.whl"))
    run([*_PIP, "download", *_tags(arch), "--constraint", constraints, "--dest", wheels, ours])
    site = tree / SITE
    site.mkdir(parents=True)
    run([*_PIP, "install", *_tags(arch), "--no-deps", "--no-index", "--no-compile", "--target", site,
         *sorted(wheels.glob("*.whl"))])
    _lay_ours(source, site)
    _trim(site)
    _lay_python(tree)


def compile_all(tree: Path) -> None:
    """By the Python that the box has, as its byte code is for this one."""
    run([PYTHON, "-I", Path(__file__).with_name("compiling.py"), tree, tree / SITE, *_EXPLAINED],
        extra={"PYTHONHASHSEED": "0"})


def _tags(arch: str) -> list[str]:
    machine = MACHINES[arch]
    platforms = [*(f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC, 4, -1)),
                 *(f"manylinux{name}_{machine}" for name in ("2014", "2010", "1")), f"linux_{machine}"]
    return ["--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311",
            "--abi=abi3", "--abi=none", *(f"--platform={platform}" for platform in platforms)]


def _lay_ours(source: Path, site: Path) -> None:
    for folder in _OURS:
        for path in sorted((source / folder).rglob("*")):
            if path.is_file() and path.suffix not in _SOURCE_ONLY:
                to = site / path.relative_to(source)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)


def _trim(site: Path) -> None:
    for pattern in _UNUSED:
        found = list(site.glob(pattern))
        if not found:
            raise BuildError(f"images/packages/venv.py: {pattern} matches nothing: a new release lacks it")
        for path in found:
            _remove(path)
    for folder, kept in _KEPT.items():
        for path in (site / folder).iterdir():
            if not re.fullmatch(kept, path.name):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)              # went with its folder


def _lay_python(tree: Path) -> None:
    """As `python -m venv` would, for /opt and not for here."""
    place = tree / PLACE
    (place / "bin").mkdir()
    (place / "bin/python").symlink_to(PYTHON)
    (place / "pyvenv.cfg").write_text(
        f"home = {os.path.dirname(PYTHON)}\ninclude-system-site-packages = false\n")
    for name, entry in _COMMANDS.items():
        script = place / "bin" / name
        script.write_text(_SCRIPT.format(place=PLACE, name=name, entry=entry))
        script.chmod(0o755)
