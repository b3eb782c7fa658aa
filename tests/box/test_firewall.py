"""The firewall of a box opens what its configuration needs, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.box.firewall import main
from tests.box.walled import RULES
from tests.conftest import ROOT

BASE = """\
spans:
  - {name: telco1, url: "%s", side: user, trunk: telco}
web: {host: %s, port: 8443}
media:
  rtp: {legs: %d, address: %s, first_port: 20000, last_port: 20099}
"""


@pytest.mark.need(14)
@pytest.mark.parametrize(("url", "host", "legs", "address", "tcp", "udp"), [
    ("virtual:/run/x/b", "127.0.0.1", 0, "127.0.0.1", "", ""),
    ("virtual:/run/x/b", "192.0.2.1", 0, "192.0.2.1", "8443", ""),
    ("cesop:192.0.2.9:2142?port=2150", "127.0.0.1", 4, "192.0.2.1", "", "20000-20099, 2150"),
    ("satop:192.0.2.9:2142", "::1", 4, "127.0.0.1", "", "2142"),
])
def test_opens_what_others_are_to_reach(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, host: str, legs: int, address: str,
        tcp: str, udp: str) -> None:
    path = tmp_path / "branchline.yaml"
    path.write_text(BASE % (url, f'"{host}"', legs, address))
    assert main([str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    wanted = []
    for name, ports in (("tcp_ports", tcp), ("udp_ports", udp)):
        wanted.append(f"flush set inet branchline {name}")
        if ports:
            wanted.append(f"add element inet branchline {name} {{ {ports} }}")
    assert said == wanted


@pytest.mark.parametrize(("address", "opens"), [("192.0.2.7", True), ("::", True), ("127.0.0.1", False)])
def test_snmp_is_opened_where_it_is_on(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str, opens: bool) -> None:
    path = tmp_path / "branchline.yaml"
    path.write_text(BASE % ("virtual:/run/x/b", '"127.0.0.1"', 0, "127.0.0.1") + (
        f'snmp: {{address: "{address}", users: [{{name: noc, auth_file: a, privacy_file: b}}]}}\n'))
    assert main([str(path)]) == 0
    assert ("add element inet branchline udp_ports { 161 }" in capsys.readouterr().out) == opens


def test_a_bad_document_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "branchline.yaml"
    path.write_text("spans: 7\n")
    assert main([str(path)]) == 78
    said = capsys.readouterr()
    assert said.out == "" and f"{path}:1: spans" in said.err


def test_the_console_is_at_the_systems_port_and_opens_no_other(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "branchline.yaml"
    path.write_text(BASE % ("virtual:/run/x/b", "127.0.0.1", 0, "127.0.0.1")
                    + 'console: {address: "0.0.0.0", port: 2022}\n')
    assert main([str(path)]) == 0
    assert "2022" not in capsys.readouterr().out
    rules = (ROOT / "images/box/root/usr/lib/branchline-box/firewall.nft").read_text()
    socket = (ROOT / "images/box/root/usr/lib/systemd/system/branchline-ssh.socket").read_text()
    ports = set(re.findall(r"^ListenStream=.*:(\d+)$", socket, re.M))
    assert ports == {"22"}
    for port in ports:
        assert re.search(rf"tcp dport {{[^}}]*\b{port}\b[^}}]*}} accept", rules), rules


def in_a_network_of_its_own(*command: str, given: str = "") -> str:
    """What the command says; skipped only where the kernel gives this process no network of its own."""
    assert shutil.which("nft") and shutil.which("ip")
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    probe = "nft add table inet probe && ip link add lan0 type veth peer name far0"
    if subprocess.run([*alone, "sh", "-c", probe], capture_output=True, timeout=60, check=False).returncode:
        pytest.skip("the kernel gives no network of its own with nftables and veth")
    done = subprocess.run([*alone, *command], input=given, capture_output=True, text=True, timeout=60,
                          cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nft_takes_the_rules_of_the_image_and_what_fills_them(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "branchline.yaml"
    path.write_text(BASE % ("cesop:192.0.2.9:2142?port=2150", "192.0.2.1", 4, "192.0.2.1"))
    assert main([str(path)]) == 0
    in_a_network_of_its_own("nft", "-f", "-", given=RULES.read_text() + capsys.readouterr().out)


@pytest.mark.parametrize(("port", "many", "most"), [("22", 500, 300), ("2222", 100, 60)])
@pytest.mark.parametrize(("stranger", "to", "other"), [
    ("192.0.2.1", "192.0.2.9", "192.0.2.2"), ("2001:db8:0:1::1", "2001:db8::9", "2001:db8:0:2::1"),
    ("fe80::1", "fe80::9", "fe80::2")])
def test_who_begins_too_many_connections_shuts_out_nobody_else(
        port: str, many: int, most: int, stranger: str, to: str, other: str) -> None:
    found = json.loads(in_a_network_of_its_own(
        sys.executable, "-m", "tests.box.walled", port, stranger, to, str(many), other, "20"))
    assert found["other"] and 10 <= found["first"] <= most


@pytest.mark.parametrize(("stranger", "to", "other"), [
    ("2001:db8:0:1::1", "2001:db8::9", "2001:db8:0:1::2"), ("fe80::1", "fe80::9", "fe80::1:1")])
def test_addresses_of_one_network_or_card_of_ipv6_are_one_stranger(
        stranger: str, to: str, other: str) -> None:
    found = json.loads(in_a_network_of_its_own(
        sys.executable, "-m", "tests.box.walled", "2222", stranger, to, "100", other,
        "1"))                                     # the next of twenty a minute comes after three seconds
    assert not found["other"]
