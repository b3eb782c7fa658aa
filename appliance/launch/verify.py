"""branchline verify: does an export bundle hold? On any machine, without a box."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from appliance.launch.asking import beside, columns, leave, or_exit
from appliance.recording.vault.bundle_check import Finding, check
from appliance.store.sealed import MAGIC, PassphraseWrapper, SealedReader

FINGERPRINT = re.compile("[0-9a-f]{64}")


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--fingerprint", default="", metavar="HEX",
              help="Of the box's key, from its owner. Without it: any box may have made the bundle.")
@click.option("--passphrase", envvar="BRANCHLINE_PASSPHRASE", default="",
              help="Of a sealed bundle; better in the environment as BRANCHLINE_PASSPHRASE. [asked for]")
@click.option("--unseal", type=click.Path(path_type=Path, exists=False),
              help="Write the zip of a sealed bundle there when it holds.")
def verify(bundle: Path, fingerprint: str, passphrase: str, unseal: Path | None) -> None:
    """Whether each file of BUNDLE, and what the box's chain says of it, is as the box signed it.

    Ends with 0 when all holds, else with 1.
    """
    if fingerprint and not FINGERPRINT.fullmatch(fingerprint.replace(":", "").lower()):
        raise click.UsageError(f"--fingerprint {fingerprint}: is none: it has 64 hexadecimal digits")
    with bundle.open("rb") as file, _opened(file, passphrase) as plain:
        findings = or_exit(lambda: check(plain, fingerprint))
        good = all(finding.good for finding in findings)
        for finding in findings:
            click.echo(_line(finding))
        if unseal is not None and good:
            _copy(plain, unseal)
    if not good:
        leave(f"{bundle}: does not hold: do not rely on it", 1)
    click.echo(f"{bundle}: all holds" + ("" if fingerprint else ", whoever's box it is: give --fingerprint"))


@contextmanager
def _opened(file: BinaryIO, passphrase: str) -> Iterator[BinaryIO]:
    """The zip, unsealed if it is sealed."""
    sealed = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    if not sealed:
        yield file
        return
    given = passphrase or click.prompt("Passphrase", hide_input=True)
    with or_exit(lambda: SealedReader(file, PassphraseWrapper(given))).stream() as plain:
        yield plain


def _copy(plain: BinaryIO, path: Path) -> None:
    plain.seek(0)
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            while block := plain.read(1 << 20):
                file.write(block)
    except OSError as error:
        leave(f"{path}: cannot be written: {error.strerror}", os.EX_CANTCREAT)


def _line(finding: Finding) -> str:
    return beside(f"{'good' if finding.good else 'BAD':<5}{finding.subject}: ", finding.text, columns())
