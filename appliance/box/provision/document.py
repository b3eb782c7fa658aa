"""The provisioning document as types. docs/installing.md has a row for every key."""

import functools
import re
import zoneinfo
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from appliance.config.load import read
from appliance.config.part import Part, unique
from appliance.config.public_key import public_key

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
_HOSTNAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_PORT = re.compile(r"[a-z][a-z0-9]{1,14}|([0-9a-f]{2}:){5}[0-9a-f]{2}")
_SETUP_CODE = re.compile(r"[A-Z0-9]{4}(-[A-Z0-9]{4}){1,7}")


def _an_address(text: str) -> str:
    return str(ip_address(text))                  # its ValueError says what is wrong


def _a_host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        if len(text) > 253 or not _HOST.fullmatch(text) or re.fullmatch(r"[0-9.]+", text):
            raise ValueError(f"{text!r}: neither an address nor a host's name") from None
        return text


def _a_hub(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if colon and "]" not in port and port.isdecimal():
        if not 1 <= int(port) <= 65535:
            raise ValueError(f"{text!r}: ports are 1 to 65535")
        _a_host(host.removeprefix("[").removesuffix("]"))
        return text
    _a_host(text.removeprefix("[").removesuffix("]"))
    return text


_zones = functools.cache(zoneinfo.available_timezones)               # reads hundreds of files


def _a_zone(text: str) -> str:
    if text not in _zones():
        raise ValueError(f"{text!r}: no such time zone; write e.g. Asia/Shanghai or UTC")
    return text


Address = Annotated[str, Field(max_length=64), AfterValidator(_an_address)]
Host = Annotated[str, Field(max_length=253), AfterValidator(_a_host)]


class NetworkConfig(Part):
    """One port of the box, or one VLAN on it."""

    port: str = ""                                # its name or MAC address; "": any that has a cable
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    ipv4: str = "dhcp"                            # dhcp, off, or address/prefix
    gateway4: Address | None = None
    ipv6: str = "auto"                            # auto (by routers, DHCPv6), off, or address/prefix
    gateway6: Address | None = None
    dns: Annotated[list[Address], Field(max_length=4)] = Field(default_factory=list)
    search: Annotated[list[Host], Field(max_length=6)] = Field(default_factory=list)

    @field_validator("port")
    @classmethod
    def _a_port(cls, port: str) -> str:
        if port and not _PORT.fullmatch(port.lower()):
            raise ValueError(f"{port!r}: write a port's name, e.g. enp1s0, or its MAC address")
        return port.lower()

    @field_validator("ipv4", "ipv6")
    @classmethod
    def _addressed(cls, text: str, info: ValidationInfo) -> str:
        version, words, example = ((4, ("dhcp", "off"), "192.0.2.10/24") if info.field_name == "ipv4" else
                                   (6, ("auto", "off"), "2001:db8::10/64"))
        if text in words:
            return text
        try:
            found = ip_interface(text)
        except ValueError:
            found = None
        if found is None or found.version != version or "/" not in text:
            raise ValueError(f"{text!r}: write {', '.join(words)} or an address like {example}")
        if found.ip.is_multicast or found.ip.is_loopback or found.ip.is_unspecified:
            raise ValueError(f"{text!r}: no box can have this address")
        if found.network.num_addresses > 2 and found.ip == found.network.network_address:
            raise ValueError(f"{text!r}: is the network itself, write the box's own address")
        if version == 4 and found.network.num_addresses > 2 and found.ip == found.network.broadcast_address:
            raise ValueError(f"{text!r}: is the network's broadcast address")
        return str(found)

    @model_validator(mode="after")
    def _reachable(self) -> "NetworkConfig":
        if self.vlan is not None and not self.port:
            raise ValueError("vlan: name the port that it is on")
        if self.ipv4 == self.ipv6 == "off":
            raise ValueError("ipv4 and ipv6 are both off: nobody reaches the box here, leave the port out")
        for gateway, text, key in ((self.gateway4, self.ipv4, "gateway4"),
                                   (self.gateway6, self.ipv6, "gateway6")):
            if gateway is None:
                continue
            if text in ("dhcp", "auto", "off"):
                raise ValueError(f"{key}: goes with an address of one's own, not with {text}")
            interface: IPv4Interface | IPv6Interface = ip_interface(text)
            address = ip_address(gateway)
            if address.version != interface.version or not (
                    address in interface.network or (address.version == 6 and address.is_link_local)):
                raise ValueError(f"{key}: {gateway} is not in {interface.network}")
            if address == interface.ip:
                raise ValueError(f"{key}: is the box itself")
        return self


class PtpConfig(Part):
    """IEEE 1588: the box follows, with time stamps made in software."""

    port: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,14}$")]
    domain: Annotated[int, Field(ge=0, le=127)] = 0


class TimeConfig(Part):
    ntp: Annotated[list[Host], Field(max_length=8)] = Field(default_factory=list)    # empty: DHCP's
    ptp: PtpConfig | None = None

    @model_validator(mode="after")
    def _one_master(self) -> "TimeConfig":
        if self.ntp and self.ptp:
            raise ValueError("ntp and ptp: two that set one clock; remove one")
        return self


class Provision(Part):
    serial: Annotated[str, Field(max_length=64)] = ""                # "": for any box
    language: Literal["zh", "en"] = "en"          # of the serial console, until a person chooses
    hostname: str = "branchline"
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_a_zone)] = "UTC"
    network: Annotated[list[NetworkConfig], Field(min_length=1, max_length=8)] = Field(
        default_factory=lambda: [NetworkConfig()])
    time: TimeConfig = TimeConfig()
    hub: Annotated[str, Field(max_length=253), AfterValidator(_a_hub)] | None = None
    admin_keys: Annotated[list[Annotated[str, Field(max_length=4000), AfterValidator(public_key)]],
                          Field(max_length=32)] = Field(default_factory=list)
    web_setup_code: str | None = Field(default=None, repr=False)     # like ABCD-EFGH-JKLM
    configuration: bool = False                   # branchline-config/ beside the document is the box's

    @field_validator("hostname")
    @classmethod
    def _a_label(cls, name: str) -> str:
        if not _HOSTNAME.fullmatch(name):
            raise ValueError(f"{name!r}: a to z, 0 to 9 and -, at most 63, not - at an end")
        return name

    @field_validator("web_setup_code")
    @classmethod
    def _not_short(cls, code: str | None) -> str | None:
        if code is not None and not _SETUP_CODE.fullmatch(code):
            raise ValueError("write two to eight groups of four signs A to Z and 0 to 9: ABCD-EFGH-JKLM")
        return code

    @model_validator(mode="after")
    def _each_once(self) -> "Provision":
        wrong: list[str] = []
        unique(wrong, "network", [f"{one.port or 'any port'}{f' vlan {one.vlan}' if one.vlan else ''}"
                                  for one in self.network])
        unique(wrong, "admin_keys", [key.split()[1] for key in self.admin_keys])
        if any(not one.port for one in self.network) and len(self.network) > 1:
            wrong.append("network: with several ports each is named: port")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def kept_document(kept: dict[str, Any]) -> Provision:
    """Of JSON; keys that a later version added are passed over. ValueError: it cannot be read."""
    return Provision.model_validate({name: kept[name] for name in kept if name in Provision.model_fields})


def load(path: Path) -> Provision:
    """ConfigError has a line 'file:line: key: what' for every mistake."""
    return read(path, Provision)
