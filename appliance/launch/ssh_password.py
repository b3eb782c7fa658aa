"""branchline ssh-password: what a person of the console gets who signs in with password and code."""

import os

import click
import pyotp

from appliance.launch.asking import leave

LEAST_SIGNS = 10


@click.command("ssh-password")
@click.argument("name")
def ssh_password(name: str) -> None:
    """Make a password's hash and a code app's secret for NAME of console.people; docs/ssh.md."""
    from appliance.box.ssh.passwords import HASHER, MOST_SIGNS
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not LEAST_SIGNS <= len(password) <= MOST_SIGNS:
        leave(f"{LEAST_SIGNS} to {MOST_SIGNS} signs", os.EX_DATAERR)
    secret = pyotp.random_base32()
    click.echo(f"    password: {HASHER.hash(password)}\n    totp: {secret}")
    click.echo(f"# for the app: {pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name='Branchline')}")
