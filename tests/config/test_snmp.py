"""What a document may say of SNMP and syslog."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from appliance.config.snmp import SnmpConfig
from appliance.config.syslog import SyslogConfig

USER = {"name": "noc", "auth_file": "auth", "privacy_file": "/etc/privacy"}
TARGET = {"name": "noc", "address": "192.0.2.9", "user": "noc"}
OPEN = {"name": "old", "file": "community", "sources": ["192.0.2.0/24"]}


def test_nothing_is_on_by_itself() -> None:
    assert not SnmpConfig().on and SyslogConfig().servers == []


def test_files_are_beside_the_document() -> None:
    placed = SnmpConfig.model_validate({
        "address": "192.0.2.7", "users": [USER], "communities": [OPEN]}).placed(Path("/box"))
    assert (placed.users[0].auth_file, placed.users[0].privacy_file) == ("/box/auth", "/etc/privacy")
    assert placed.communities[0].file == "/box/community" and placed.on
    logs = SyslogConfig.model_validate({"servers": [
        {"name": "noc", "host": "log", "ca_file": "ca.pem"}]}).placed(Path("/box"))
    assert (logs.servers[0].ca_file, logs.servers[0].certificate_file) == ("/box/ca.pem", "")


@pytest.mark.parametrize(("said", "wrong"), [
    ({"address": "192.0.2.7"}, "needs users"),
    ({"address": "box.example.net", "users": [USER]}, "does not appear to be an IPv4 or IPv6 address"),
    ({"address": "192.0.2.7", "communities": [OPEN | {"sources": []}]}, "sources"),
    ({"address": "192.0.2.7", "communities": [OPEN | {"sources": ["192.0.2.1/24"]}]}, "host bits"),
    ({"users": [USER, USER]}, "'noc' is there twice"),
    ({"users": [USER], "targets": [TARGET | {"user": "other"}]}, "none is called 'other', there are noc"),
    ({"users": [USER], "targets": [TARGET | {"community": "old"}]}, "write one of them"),
    ({"users": [USER], "targets": [{"name": "noc", "address": "192.0.2.9"}]}, "write one of them"),
    ({"users": [USER | {"auth": "md5"}]}, "auth"),
    ({"users": [USER | {"auth_file": ""}]}, "auth_file"),
    ({"enterprise": 0}, "enterprise")])
def test_what_cannot_be_is_refused(said: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        SnmpConfig.model_validate(said)


@pytest.mark.parametrize(("server", "wrong"), [
    ({"transport": "tcp", "ca_file": "ca.pem"}, "only with transport: tls"),
    ({"host": "log server"}, "host"), ({"facility": "mail"}, "facility"),
    ({"most_waiting": 1}, "most_waiting")])
def test_what_no_syslog_server_can_be(server: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        SyslogConfig.model_validate({"servers": [{"name": "noc", "host": "log.example.net"} | server]})


@pytest.mark.parametrize(("transport", "port", "to"), [
    ("tls", 0, 6514), ("tcp", 0, 514), ("udp", 5140, 5140)])
def test_ports(transport: str, port: int, to: int) -> None:
    config = SyslogConfig.model_validate({"servers": [
        {"name": "noc", "host": "log", "transport": transport, "port": port}]})
    assert config.servers[0].to_port == to
