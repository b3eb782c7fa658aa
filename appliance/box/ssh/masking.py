"""A line for the log of what people did: without what is secret in it. Pure."""

import re

HIDDEN = "(not shown)"
_NAMES = "password|passphrase|passwd|totp|secret|token|private|credential|community|headers|authorization|pin"
_NAME = re.compile(rf"(?i)(?:{_NAMES})[^\s:=]*")          # takes the whole run: no place is looked at twice
_VALUE = re.compile(r"\s*[:=]\s*(?=\S)|\s+(?=\S)")
_USER = re.compile(r"(?i)(://)[^\s/@]{1,200}@")


def masked(line: str) -> str:
    """What follows a word that names something secret is left out, and who logs in in an address."""
    for found in _NAME.finditer(line):
        if value := _VALUE.match(line, found.end()):
            line = f"{line[:value.end()].rstrip()} {HIDDEN}"
            break
    return _USER.sub(rf"\1{HIDDEN}@", line)
