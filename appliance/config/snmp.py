"""Who may ask the box by SNMP, and to whom it sends notifications. Pass phrases are in files, never here."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from appliance.config.part import Name, Part, unique

DOCUMENTATION = 32473                             # RFC 5612: nobody's, for examples
MOST_TARGETS = 8


def _numeric(address: str) -> str:
    return str(ip_address(address)) if address else ""               # its ValueError says what is wrong


def _network(text: str) -> str:
    return str(ip_network(text))


Address = Annotated[str, AfterValidator(_numeric)]
Network = Annotated[str, AfterValidator(_network)]                   # 192.0.2.0/24, or one address
_Port = Annotated[int, Field(ge=1, le=65535)]
_Text = Annotated[str, Field(max_length=255, pattern=r"^[\x20-\x7e]*$")]
_File = Annotated[str, Field(min_length=1, max_length=1000)]         # 0600, one line


class SnmpUserConfig(Part):
    """A user of SNMPv3 with both pass phrases: nothing is read or said unencrypted (RFC 3414, 7860, 3826)."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    auth: Literal["sha224", "sha256", "sha384", "sha512"] = "sha256"
    auth_file: _File
    privacy: Literal["aes128"] = "aes128"
    privacy_file: _File


class SnmpCommunityConfig(Part):
    """SNMPv2c, which anybody on the way can read: only for who cannot do better, and only from there."""

    name: Name
    file: _File                                   # the community itself
    sources: Annotated[list[Network], Field(min_length=1, max_length=16)]


class SnmpTargetConfig(Part):
    """Where notifications go."""

    name: Name
    address: Annotated[str, Field(min_length=1), AfterValidator(_numeric)]
    port: _Port = 162
    user: str = ""                                # one of users ...
    community: str = ""                           # ... or of communities
    inform: bool = True                           # acknowledged, and sent again until it is; False: a trap

    @model_validator(mode="after")
    def _one_way(self) -> "SnmpTargetConfig":
        if bool(self.user) == bool(self.community):
            raise ValueError("user or community: write one of them")
        return self


class SnmpConfig(Part):
    """Off without an address and without targets."""

    address: Address = ""                         # numeric, of this box; "": nobody may ask
    port: _Port = 161
    sources: Annotated[list[Network], Field(max_length=64)] = Field(default_factory=list)    # empty: any
    users: Annotated[list[SnmpUserConfig], Field(max_length=8)] = Field(default_factory=list)
    communities: Annotated[list[SnmpCommunityConfig], Field(max_length=4)] = Field(default_factory=list)
    targets: Annotated[list[SnmpTargetConfig], Field(max_length=MOST_TARGETS)] = Field(default_factory=list)
    hold_s: Annotated[float, Field(ge=0, le=300)] = 5.0              # what lasts so long is told
    enterprise: Annotated[int, Field(ge=1, le=0x7FFFFFFF)] = DOCUMENTATION
    contact: _Text = ""                           # sysContact, sysLocation
    location: _Text = ""

    @property
    def on(self) -> bool:
        return bool(self.address or self.targets)

    def placed(self, folder: Path) -> "SnmpConfig":
        """With files below `folder`."""
        return self.model_copy(update={
            "users": [user.model_copy(update={"auth_file": str(folder / user.auth_file),
                                              "privacy_file": str(folder / user.privacy_file)})
                      for user in self.users],
            "communities": [one.model_copy(update={"file": str(folder / one.file)})
                            for one in self.communities]})

    def files(self) -> list[str]:
        """Those that it names."""
        return [*(name for user in self.users for name in (user.auth_file, user.privacy_file)),
                *(one.file for one in self.communities)]

    @model_validator(mode="after")
    def _names_meet(self) -> "SnmpConfig":
        wrong: list[str] = []
        unique(wrong, "users", [user.name for user in self.users])
        unique(wrong, "communities", [one.name for one in self.communities])
        unique(wrong, "targets", [target.name for target in self.targets])
        if self.address and not (self.users or self.communities):
            wrong.append("address: needs users (or communities): nobody else may ask")
        for target in self.targets:
            for what, name, there in (
                    ("user", target.user, [user.name for user in self.users]),
                    ("community", target.community, [one.name for one in self.communities])):
                if name and name not in there:
                    wrong.append(f"targets: {what}: none is called {name!r}, "
                                 f"there are {', '.join(there) or 'none'}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self
