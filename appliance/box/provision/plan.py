"""What a document comes to on a box: the text of every file that is made from it at each boot. Pure.

Ref: systemd.network(5), systemd.netdev(5), timesyncd.conf(5) of systemd 252; ptp4l(8) of linuxptp 3.1.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:                                 # an early boot reads the plan and not the schema
    from appliance.box.provision.document import NetworkConfig, Provision

FILE = "branchline-provision.yaml"                # in the root folder of a stick
FOLDER = "branchline-config"                      # beside it

NETWORK_FOLDER = "run/systemd/network"
TIMESYNCD = "run/systemd/timesyncd.conf.d/branchline.conf"
PTP4L = "run/branchline-provision/ptp4l.conf"
URL_OPTION = 224                                  # of DHCP, first of the private ones: RFC 3942
UNPROVISIONED = "branchline"                      # the hostname until there is a document

Files = dict[str, str]                            # path below / -> text


def files(document: "Provision") -> Files:
    return {**network_files(document), **_time_files(document), **_host_files(document.hostname)}


def network_files(document: "Provision") -> Files:
    network, own_ntp = document.network, bool(document.time.ntp)
    ports: dict[str, list[NetworkConfig]] = {}
    for one in network:
        ports.setdefault(one.port, []).append(one)
    metric = {id(one): 100 * (place + 1) for place, one in enumerate(network)}
    made: Files = {}
    for number, (port, ways) in enumerate(ports.items()):
        vlans = [one for one in ways if one.vlan is not None]
        own = next((one for one in ways if one.vlan is None), None)
        lines = ["[Match]", *_match(port), "", "[Network]", *(f"VLAN={_vlan(number, one)}" for one in vlans)]
        lines += ["LinkLocalAddressing=no"] if own is None else list(_way(own, metric[id(own)], own_ntp))
        made[f"{NETWORK_FOLDER}/10-branchline-{number}.network"] = _text(lines)
        for one in vlans:
            name = _vlan(number, one)
            made[f"{NETWORK_FOLDER}/20-{name}.netdev"] = _text(
                ["[NetDev]", f"Name={name}", "Kind=vlan", "", "[VLAN]", f"Id={one.vlan}"])
            made[f"{NETWORK_FOLDER}/20-{name}.network"] = _text(
                ["[Match]", f"Name={name}", "", "[Network]", *_way(one, metric[id(one)], own_ntp)])
    return made


def unprovisioned() -> Files:
    """DHCP on whatever has a cable, and the question for a document."""
    way = ["[Match]", *_match(""), "", "[Network]", "DHCP=ipv4", "IPv6AcceptRA=yes", "", "[DHCPv4]",
           "ClientIdentifier=mac", f"RequestOptions={URL_OPTION}", "UseHostname=no",
           "", "[DHCPv6]", "UseHostname=no"]
    return {f"{NETWORK_FOLDER}/10-branchline-0.network": _text(way), **_host_files(UNPROVISIONED)}


def _vlan(number: int, one: "NetworkConfig") -> str:
    return f"port{number}.{one.vlan}"


def _match(port: str) -> list[str]:
    if not port:
        return ["Type=ether", "Kind=!*"]          # real ports, no bridges or VLANs
    return [f"PermanentMACAddress={port}"] if ":" in port else [f"Name={port}"]


def _way(one: "NetworkConfig", metric: int, own_ntp: bool) -> Iterator[str]:
    yield f"DHCP={'ipv4' if one.ipv4 == 'dhcp' else 'no'}"
    yield f"IPv6AcceptRA={'yes' if one.ipv6 == 'auto' else 'no'}"
    yield f"LinkLocalAddressing={'no' if one.ipv6 == 'off' else 'ipv6'}"
    yield from (f"Address={text}" for text in (one.ipv4, one.ipv6) if text not in ("dhcp", "auto", "off"))
    yield from (f"DNS={address}" for address in one.dns)
    if one.search:
        yield f"Domains={' '.join(one.search)}"
    for gateway in (one.gateway4, one.gateway6):
        if gateway is not None:
            yield from ("", "[Route]", f"Gateway={gateway}", f"Metric={metric}")
    use = (f"UseDNS={'no' if one.dns else 'yes'}", f"UseNTP={'no' if own_ntp else 'yes'}", "UseHostname=no")
    if one.ipv4 == "dhcp":
        yield from ("", "[DHCPv4]", "ClientIdentifier=mac", *use, f"RouteMetric={metric}")
    if one.ipv6 == "auto":
        yield from ("", "[IPv6AcceptRA]", use[0], f"RouteMetric={metric}", "", "[DHCPv6]", *use)


def _time_files(document: "Provision") -> Files:
    ntp, ptp = document.time.ntp, document.time.ptp
    made: Files = {}
    if ntp:
        made[TIMESYNCD] = _text(["[Time]", f"NTP={' '.join(ntp)}", "FallbackNTP="])
    if ptp is not None:
        made[PTP4L] = _text([
            "[global]", f"domainNumber {ptp.domain}", "time_stamping software", "use_syslog 0",
            "uds_address /run/ptp4l/socket",      # in the unit's RuntimeDirectory: nothing else is writable
            "verbose 1", "step_threshold 1.0", f"[{ptp.port}]"])
    return made


def _host_files(hostname: str) -> Files:
    return {"etc/hostname": f"{hostname}\n",
            "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n::1 localhost ip6-localhost\n"}


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
