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


def test_a_bad_document_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "branchline.yaml"
    path.write_text("spans: 7\n")
    assert main([str(path)]) == 78
    said = capsys.readouterr()
    assert said.out == "" and f"{path}:1: spans" in said.err
