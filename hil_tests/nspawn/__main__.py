"""`python -m hil_tests.nspawn [DEB]`: the package on a plain Debian 12, as root."""

import sys
from pathlib import Path

from hil_tests.nspawn.running import run_all
from hil_tests.vm.debian import BenchError

if __name__ == "__main__":
    try:
        run_all(*map(Path, sys.argv[1:2]))
    except BenchError as error:
        sys.exit(str(error))
