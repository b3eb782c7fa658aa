"""branchline people-password: back on the pages for who has nobody above to ask for a password."""

import os
import subprocess
import sys
from pathlib import Path

import click

from appliance.launch import place
from appliance.launch.asking import STATE_DIR, leave, or_exit, person

USERS = "users.sqlite"                            # the pages', in the state folder
READMIT = (sys.executable, "-m", "webui.access.readmit")


@click.command("people-password")
@click.argument("name")
@click.option("--factors", is_flag=True, help="Take the second factors away, too.")
@STATE_DIR
def people_password(name: str, factors: bool, state_dir: Path) -> None:
    """Give NAME of the pages a password for once, which is changed at the sign-in.

    For the administrator who has nobody above; others ask theirs. Calls and pages go on; what NAME has open
    ends.
    """
    by = person()                                 # before we are another
    or_exit(lambda: place.become_owner(state_dir / USERS))
    done = subprocess.run(
        (*READMIT, name, "--state-dir", state_dir, "--by", by, *(["--factors"] if factors else [])),
        stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    if not (password := done.stdout.strip()):
        leave("no password was made: nothing is known of why", os.EX_SOFTWARE)
    click.echo(f"{password}\nfor {name}, once: the pages ask for another at the sign-in")
