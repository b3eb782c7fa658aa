"""The provisioning document: mistakes are said with line and key; every key is in the installer's guide."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from appliance.box.provision import plan
from appliance.box.provision.document import Provision, load
from appliance.errors import ConfigError
from tests.conftest import ROOT

SOON_S = 60
WHOLE = """\
serial: BL-0001
language: zh
hostname: branch-12
time_zone: Asia/Shanghai
network:
  - {port: enp1s0, ipv4: 192.0.2.10/24, gateway4: 192.0.2.1, dns: [192.0.2.53], search: [example.com]}
  - {port: enp1s0, vlan: 20, ipv6: "off"}
  - {port: "00:11:22:33:44:55", ipv4: "off", ipv6: "2001:db8::2/64", gateway6: "fe80::1"}
time: {ntp: [ntp.example, 192.0.2.7]}
hub: hub.example:7422
admin_keys: [KEY]
web_setup_code: ABCD-EFGH-JKLM
"""


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "noc", "-f", path], check=True)
    return path.with_suffix(".pub").read_text().strip()


def read(folder: Path, text: str) -> Provision:
    path = folder / "branchline-provision.yaml"
    path.write_text(text)
    return load(path)


def test_a_whole_document_is_read(tmp_path: Path, key: str) -> None:
    document = read(tmp_path, WHOLE.replace("KEY", key))
    assert (document.hostname, document.admin_keys, document.network[1].vlan) == ("branch-12", [key], 20)
    assert "ABCD" not in repr(document)


def test_an_empty_mapping_is_a_box_on_dhcp(tmp_path: Path) -> None:
    assert read(tmp_path, "{}").network[0].ipv4 == "dhcp"


@pytest.mark.parametrize(("text", "said"), [
    ("hostname: Branch_1", "1: hostname: "),
    ("\ntime_zone: Asia/Nowhere", "2: time_zone: 'Asia/Nowhere': no such time zone"),
    ("hostnam: x", "1: hostnam: no such key, there are admin_keys, "),
    ("network: [{ipv4: 192.0.2.0/24}]", "network[0].ipv4: '192.0.2.0/24': is the network itself"),
    ("network: [{ipv4: 192.0.2.255/24}]", "broadcast"),
    ("network: [{ipv4: 192.0.2.7}]", "write dhcp, off or an address like 192.0.2.10/24"),
    ("network: [{ipv4: 2001:db8::1/64}]", "write dhcp, off or an address like"),
    ("network: [{ipv6: 192.0.2.7/24}]", "write auto, off or an address like 2001:db8::10/64"),
    ("network: [{ipv4: 127.0.0.1/8}]", "no box can have this address"),
    ("network: [{ipv4: 192.0.2.7/24, gateway4: 198.51.100.1}]", "198.51.100.1 is not in 192.0.2.0/24"),
    ("network: [{ipv4: 192.0.2.7/24, gateway4: 192.0.2.7}]", "is the box itself"),
    ("network: [{ipv4: 192.0.2.7/24, gateway4: 169.254.0.1}]", "169.254.0.1 is not in 192.0.2.0/24"),
    ("network: [{gateway4: 192.0.2.1}]", "goes with an address of one's own, not with dhcp"),
    ('network: [{ipv4: "off", ipv6: "off"}]', "nobody reaches the box"),
    ("network: [{vlan: 5}]", "name the port"),
    ("network: [{port: enp1s0, vlan: 4095}]", "network[0].vlan: "),
    ("network: [{}, {port: enp1s0}]", "with several ports each is named"),
    ("network: [{port: enp1s0}, {port: enp1s0}]", "'enp1s0' is there twice"),
    ("network: []", "network: "),
    ("network: [{port: ../etc}]", "write a port's name"),
    ("time: {ntp: [300.1.1.1]}", "neither an address nor a host's name"),
    ("time: {ntp: [a], ptp: {port: enp1s0}}", "two that set one clock"),
    ("hub: hub.example:99999", "ports are 1 to 65535"),
    ("admin_keys: [AAAA]", "write the one line of a public key file"),
    ("admin_keys: ['command=\"sh\" ssh-ed25519 AAAA']", "write the one line of a public key file"),
    ("admin_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5]", "cut or damaged"),
    ("web_setup_code: abc", "ABCD-EFGH-JKLM"),
    ("a: [*x]", "aliases are not read here"),
])
def test_each_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path}/branchline-provision.yaml:")


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "id"],
                   check=True)
    with pytest.raises(ConfigError, match="shorter than 3072 bits"):
        read(tmp_path, f"admin_keys: ['{(tmp_path / 'id.pub').read_text().strip()}']")


def keys(kind: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in kind.model_fields.items():
        inner = [one for one in re.findall(r"\w+Config", str(field.annotation))]
        kinds = {one.__name__: one for one in BaseModel.__subclasses__()[0].__subclasses__()}
        if inner and inner[0] in kinds:
            yield from keys(kinds[inner[0]], f"{above}{name}.")
        else:
            yield above + name


def test_every_key_has_a_row_in_the_guide() -> None:
    guide = (ROOT / "docs/installing.md").read_text().partition("| key | values | meaning |")[2]
    rows = re.findall(r"^\| ([a-z0-9_.]+) \|", guide.partition("An example:")[0], re.MULTILINE)
    assert sorted(rows) == sorted(keys(Provision))


def test_servers_that_are_named_are_the_only_ones(tmp_path: Path, key: str) -> None:
    """timesyncd would ask those of DHCP, too, which may be anybody's."""
    for text, yes in (("time: {ntp: [ntp.example]}", "no"), ("{}", "yes")):
        made = plan.files(read(tmp_path, text))
        (network,) = (made[name] for name in made if name.endswith(".network"))
        assert network.count(f"UseNTP={yes}") == network.count("UseNTP=") == 2
        assert network.count("UseHostname=no") == 2


def test_ptp_has_its_socket_where_its_unit_may_write(tmp_path: Path) -> None:
    unit = (ROOT / "images/box/root/usr/lib/systemd/system/branchline-ptp.service").read_text()
    (folder,) = re.findall("^RuntimeDirectory=(.+)$", unit, re.MULTILINE)
    document = read(tmp_path, "time: {ptp: {port: enp1s0}}")
    assert f"uds_address /run/{folder}/" in plan.files(document)[plan.PTP4L]


def test_networkd_knows_every_key_that_is_written(tmp_path: Path, key: str) -> None:
    """systemd-networkd itself, in a network and a /run of its own: what it does not know it says."""
    document = read(tmp_path, WHOLE.replace("KEY", key))
    networkd = "/lib/systemd/systemd-networkd"
    alone = subprocess.run(["unshare", "-nm", "true"], capture_output=True)
    if not Path(networkd).exists() or alone.returncode:
        pytest.skip("no systemd-networkd, or no right to a network of one's own")
    running = []
    for number, files in enumerate((plan.files(document), plan.unprovisioned(), {
            f"{plan.NETWORK_FOLDER}/10-wrong.network": "[Network]\nDHPC=yes\n"})):
        root = tmp_path / str(number)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        running.append(subprocess.Popen(["unshare", "-nm", "sh", "-c", (
            "mount -t tmpfs none /run && mkdir -p /run/systemd && "
            f"cp -r '{root}/{plan.NETWORK_FOLDER}' /run/systemd/ && exec timeout {SOON_S} {networkd}")],
            stderr=subprocess.PIPE, text=True, env={
                "SYSTEMD_LOG_TARGET": "console", "SYSTEMD_LOG_LEVEL": "info",
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}))
    for number, one in enumerate(running):
        assert one.stderr
        said = []
        for line in one.stderr:
            said.append(line)
            if "Enumeration completed" in line:   # what it reads it has read
                break
        one.terminate()
        one.communicate()
        assert "Enumeration completed" in said[-1]
        complaints = [line for line in said if "/run/systemd/network" in line]
        assert bool(complaints) == (number == 2), complaints
