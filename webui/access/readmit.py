"""A password for once, for who can use the box's disk: the last administrator has nobody above to ask.

`python -m webui.access.readmit NAME --state-dir DIR --by WHO`, which `branchline people-password` runs as the
user whose the files are. The pages may go on meanwhile; sessions of that person end.
"""

import argparse
import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import BranchlineError, StateError
from webui.access.audit import Audit, Did
from webui.access.factors import Factors
from webui.users import Users, one_time_password


def readmit(state: Path, name: str, by: str, factors: bool, now: float) -> str:
    """The password; with `factors` the second factors are gone, too. It is in the log before it is done.

    StateError: there is nobody of this name, or he is disabled. Unavailable, sqlite3.Error: the disk refuses.
    """
    file = state / "users.sqlite"
    if not file.is_file():
        raise StateError(f"{file}: is not there: nobody was made on this box yet, or name its --state-dir")
    users = Users(file)
    person = users.person(name)
    if person is None:
        known = ", ".join(one.name for one in users.people()) or "none"
        raise StateError(f"nobody has the name {name!r}, there are {known}")
    if person.disabled:
        raise StateError(f"{name} is disabled: somebody above lets in again, under People")
    audit, password = Audit(state / "audit.sqlite"), one_time_password()
    try:
        begun = [audit.begin(Did(by, "", "", act, name), now) for act in (
            "password-reset", *(["factors-cleared"] if factors else []))]
        if factors:
            Factors(state / "factors.sqlite", state / "factors.key").clear(name, by)
        users.change_password(name, password, once=True)
        for number in begun:
            audit.end(number, "", now)
    finally:
        audit.close()
    return password


def main(argv: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="readmit")
    asked.add_argument("name")
    asked.add_argument("--state-dir", type=Path, required=True)
    asked.add_argument("--by", required=True)
    asked.add_argument("--factors", action="store_true")
    given = asked.parse_args(argv)
    try:
        password = readmit(given.state_dir, given.name, given.by, given.factors, time.time())
    except StateError as error:
        print(error, file=sys.stderr)
        return os.EX_DATAERR
    except (BranchlineError, sqlite3.Error, OSError) as error:
        print(error, file=sys.stderr)
        return os.EX_UNAVAILABLE
    print(password)
    return 0


if __name__ == "__main__":
    sys.exit(main())
