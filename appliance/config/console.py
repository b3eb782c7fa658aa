"""The console by SSH, in the configuration document: where it listens, and who may come."""

import base64
import binascii
import re
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from appliance.config.part import Name, Part, unique
from appliance.config.public_key import public_key

ADMIN = "admin"                                   # whom the provisioning document's admin_keys are of
LEAST_TOTP_OCTETS = 16                            # RFC 4226 section 4, R6: 128 bits

# What a check of it may take: of Argon2id memory in KiB, rounds, lanes (RFC 9106 section 3.1).
_MEMORY_KIB, _ROUNDS, _LANES = range(19456, 32769), range(2, 5), range(1, 5)
_HASH = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d)\$[A-Za-z0-9+/]{22,64}\$[A-Za-z0-9+/]{43,86}")
_PRINCIPAL = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"


def _a_hash(text: str) -> str:
    found = _HASH.fullmatch(text)
    if found is None or not (int(found[1]) in _MEMORY_KIB and int(found[2]) in _ROUNDS
                             and int(found[3]) in _LANES):
        raise ValueError("no hash of Argon2id of the size wanted: `branchline ssh-password` makes one")
    return text


def _a_secret(text: str) -> str:
    try:
        octets = base64.b32decode(text)
    except binascii.Error:
        octets = b""
    if len(octets) < LEAST_TOTP_OCTETS:
        raise ValueError(f"no Base32 of at least {LEAST_TOTP_OCTETS} octets: `branchline ssh-password` makes "
                         "one")
    return text


PublicKey = Annotated[str, Field(max_length=4000), AfterValidator(public_key)]
Principal = Annotated[str, Field(pattern=_PRINCIPAL)]


class ConsolePersonConfig(Part):
    """Who may sign in: with a key, with a certificate of `user_cas`, or with password and code together."""

    name: Name
    role: Literal["watch", "operate", "admin"] = "watch"
    language: Literal["zh", "en"] | None = None   # None: what the terminal says (LANG), else the pages' own
    keys: Annotated[list[PublicKey], Field(max_length=20)] = Field(default_factory=list)
    principals: Annotated[list[Principal], Field(max_length=20)] = Field(default_factory=list)  # none: name
    password: Annotated[str, AfterValidator(_a_hash)] | None = Field(default=None, repr=False)
    totp: Annotated[str, Field(max_length=128), AfterValidator(_a_secret)] | None = Field(
        default=None, repr=False)                 # secret of the app that shows the codes, Base32
    recordings: bool = False                      # may take recordings by SFTP; each taking is in their chain

    @model_validator(mode="after")
    def _both_or_none(self) -> "ConsolePersonConfig":
        if (self.password is None) != (self.totp is None):
            raise ValueError(f"{self.name}: password and totp go together")
        return self


class ConsoleConfig(Part):
    address: str = "127.0.0.1"                    # numeric, of this box; "::" and 0.0.0.0: all
    port: Annotated[int, Field(ge=0, le=65535)] | None = None        # None: none of its own; 0: any free one
    people: Annotated[list[ConsolePersonConfig], Field(max_length=200)] = Field(default_factory=list)
    user_cas: Annotated[list[PublicKey], Field(max_length=20)] = Field(default_factory=list)
    banner: Annotated[str, Field(max_length=2000)] = ""              # said before anybody has signed in
    idle_s: Annotated[float, Field(ge=10, le=86400)] = 900.0         # at the prompt, or asked, without a key
    live_s: Annotated[float, Field(ge=10, le=604800)] = 28800.0      # of a live command without a key
    sessions: Annotated[int, Field(ge=1, le=100)] = 16               # in all
    sessions_each: Annotated[int, Field(ge=1, le=100)] = 6           # of one person
    older_clients: bool = False                   # also X25519 alone, for clients such as OpenSSH before 9.9

    @field_validator("address")
    @classmethod
    def _numeric(cls, address: str) -> str:
        return str(ip_address(address))           # its ValueError says what is wrong

    @field_validator("banner")
    @classmethod
    def _plain(cls, banner: str) -> str:
        if any(not (one.isprintable() or one == "\n") for one in banner):
            raise ValueError("only printable text and new lines")
        return banner

    @model_validator(mode="after")
    def _people_differ(self) -> "ConsoleConfig":
        wrong = [f"people: {ADMIN} has role admin, as who has a key of the provisioning document"
                 for person in self.people if person.name == ADMIN and person.role != "admin"]
        unique(wrong, "people", [person.name for person in self.people])
        unique(wrong, "people: keys", [blob(key) for person in self.people for key in person.keys])
        unique(wrong, "people: principals", [name for person in self.people
                                             for name in person.principals or [person.name]])
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def blob(key: str) -> str:
    """Without the comment, which is not the key's."""
    return " ".join(key.split(" ")[:2])
