"""The firewall of a box opens what its configuration needs, and nothing else."""

from pathlib import Path

import pytest

from appliance.box.firewall import main

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


@pytest.mark.parametrize(("console", "opens"), [
    ('{address: "0.0.0.0", port: 2022}', True), ("{port: 2022}", False), ("{}", False)])
def test_opens_the_consoles_own_port_where_others_may_come(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], console: str, opens: bool) -> None:
    path = tmp_path / "branchline.yaml"
    path.write_text(BASE % ("virtual:/run/x/b", "127.0.0.1", 0, "127.0.0.1") + f"console: {console}\n")
    assert main([str(path)]) == 0
    assert ("2022" in capsys.readouterr().out) == opens
