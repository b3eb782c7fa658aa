"""The steps of network and time have the forms of the box's own settings, and come back to themselves."""

import html
import re

import pytest
from flask.testing import FlaskClient

from appliance.bus.messages import ChangeProvision, ConfirmNetwork, TryNetwork
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import FakeExchange, token
from tests.webui.first.conftest import Line
from tests.webui.test_box import Root, send, words


@pytest.fixture
def root(exchange: FakeExchange, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Root:
    root, other = Root(), exchange.ask
    monkeypatch.setattr(exchange, "ask", lambda request, timeout_s=2.0: (
        root.answer(request) or other(request, timeout_s)))
    return root


def test_the_first_run_has_the_same_forms_in_its_steps(
        client: FlaskClient, kept: Kept, line: Line, root: Root) -> None:
    root.provisioned = False
    page = client.get("/first/network").text
    assert 'name="claim"' in page and 'name="then" value="network"' in page
    form = {"claim": "ABCD", "hostname": "box-8", "ipv4-0": "192.0.2.10/24", "then": "network",
            "why": "First run: Network"}
    root.refusal = "this is not the box's claim code: it is on the label and the console"
    refused = send(client, "/box/settings/first", **form)
    assert refused.status_code == 409 and 'value="box-8"' in refused.text and "first-rail" in refused.text
    root.refusal = ""
    shown = send(client, "/box/settings/first", **form).text
    assert 'href="http://192.0.2.10/first/network"' in shown
    wanted = html.unescape(re.search(r'name="kept" value="([^"]*)"', shown)[1])      # type: ignore[index]
    answer = send(client, "/box/settings/first", kept=wanted, claim="ABCD", then="network")
    assert (answer.status_code, answer.location) == (303, "/first/network")

    root.provisioned = True
    ways = {"port-0": "enp1s0", "ipv4-0": "192.0.2.20/24", "then": "network", "why": "First run: Network"}
    wanted = html.unescape(re.search(r'name="kept" value="([^"]*)"', send(  # type: ignore[index]
        client, "/box/settings/network", **ways).text)[1])
    assert send(client, "/box/settings/network", kept=wanted, then="network",
                why="First run: Network").location == "/first/network"
    assert [type(one) for one in root.did][-1:] == [TryNetwork]
    root.trial_left_s = 250.0
    assert "undone in 4:10" in words(client, "/first/network")
    with client.get("/first/network/events") as live:
        assert any(b"4:10" in one for one, _ in zip(live.response, range(20), strict=False))
    csrf = token(client, "/box/")
    kept_it = client.post("/box/settings/keep", data={"csrf_token": csrf, "then": "network"},
                          environ_base={"branchline.address": "192.0.2.20"})
    assert kept_it.location == "/first/network"
    assert [type(one) for one in root.did][-1:] == [ConfirmNetwork]

    assert 'name="time_zone"' in client.get("/first/time").text
    same = {"time_zone": "Asia/Shanghai", "ntp": "", "then": "time", "why": "First run: Time"}
    done = len(root.did)
    assert send(client, "/box/settings/own", **same).location == "/first/time" and len(root.did) == done
    assert send(client, "/box/settings/own", **same | {"ntp": "ntp.example"}).location == "/first/time"
    assert root.did[-1] == ChangeProvision(by="web", keys={"time": {"ntp": ["ntp.example"]}})
    assert send(client, "/box/settings/own", **same | {"ntp": "x", "then": "https://evil.example"}
                ).location == "/box/settings/"


def test_a_change_of_the_language_does_not_lead_out_of_the_first_run(
        client: FlaskClient, kept: Kept, line: Line, root: Root) -> None:
    form = {"port-0": "enp1s0", "ipv4-0": "192.0.2.20/24", "then": "network", "why": "First run: Network"}
    for act, refusal in (("network", ""), ("undo", "nothing is on trial")):
        root.refusal = refusal
        address = html.unescape(re.search(            # type: ignore[index]
            r'action="(/box/settings/network[^"]*)"', client.get("/first/network").text)[1])
        page = send(client, address.replace("network?", f"{act}?"), **form).text
        assert 'action="/box/settings/network?then=network"' in page
        back = html.unescape(re.search(r'name="next" value="([^"]*)"', page)[1])      # type: ignore[index]
        assert client.get(back).location == "/first/network", back
    assert client.get("/box/settings/network?then=https://evil.example").location == "/box/settings/"
