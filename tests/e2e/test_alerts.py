"""Five callers wait on a whole box: a supervisor's browser, a mail server and a web server hear of it, and
that it is over when they are answered."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from appliance.bus.messages import GetBoard, SetNotReady, SetReady
from tests.e2e.calls import call_in, pick_up
from tests.e2e.rig import CONFIG, Rig
from tests.webui.alerts.receiver import MailBox, Receiver, mail_box, receiving
from tests.webui.browser import SHOTS, chromium_running, clean_page, set_up

pytestmark = pytest.mark.usefixtures("left_idle")

WITHIN_S = 20.0
SALES = ("zhang", "li")


@pytest.fixture(scope="module")
def mails() -> Iterator[MailBox]:
    with mail_box() as box:
        yield box


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def rig_options(mails: MailBox, receiver: Receiver) -> dict[str, Any]:
    web = {"port": 0, "language": "en", "webhooks": {"hosts": [receiver.url.split("/")[2]]},
           "mail": {"host": "127.0.0.1", "port": mails.port, "security": "none",
                    "sender": "box@branch.example"}}
    return {"config": {**CONFIG, "web": web}}


def posted(receiver: Receiver, secret: str) -> Any:
    """The next, if its signature is right."""
    headers, body = receiver.came.get(timeout=WITHIN_S)
    at, made = (part.split("=")[1] for part in headers["Branchline-Signature"].split(","))
    assert made == hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return json.loads(body)


def test_five_callers_wait_and_everybody_is_told_until_they_are_answered(
        box: Rig, mails: MailBox, receiver: Receiver) -> None:
    for agent in SALES:
        box.bus.ask(SetNotReady(agent=agent))
    url = (box.run_dir / "web.url").read_text().strip()
    complaints: list[str] = []
    with chromium_running() as chromium:
        page = clean_page(chromium, complaints, base_url=url, viewport={"width": 1366, "height": 900})
        set_up(page, (box.state_dir / "setup-code").read_text().strip(), url)
        page.goto("/alerts/new?what=waiting")
        page.get_by_label("Name of the rule").fill("Sales is full")
        page.get_by_label("sales", exact=True).check()
        page.get_by_label("More than").fill("4")
        page.get_by_label("Over again at").fill("3")
        page.get_by_label("It holds for so many seconds").fill("1")
        page.get_by_label("Over when so for so many seconds").fill("5")
        page.get_by_label("By mail to").fill("noc@branch.example")
        page.get_by_label("Webhook").fill(receiver.url)
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Sales is full").click()
        secret = page.locator("code").inner_text()
        page.goto("/contacts/")
        callers = [call_in(box) for _ in range(5)]
        expect(page.locator("#notice-bar")).to_contain_text(
            "Sales is full: callers waiting 5, limit: more than 4 (sales)")
        page.screenshot(path=SHOTS / "e2e-alerts.png")
        said = posted(receiver, secret)
        assert (said["state"], said["value"], said["which"]) == ("raised", 5.0, ["sales"])
        mail = mails.mails.get(timeout=WITHIN_S)
        assert mail["Subject"] == said["text"] and mail["To"] == "noc@branch.example"

        for caller, agent in zip(callers, SALES, strict=False):  # two are answered, three still wait
            box.bus.ask(SetReady(agent=agent))
            rung = box.pbx.wait_for_call()
            rung.alert()
            pick_up(caller, rung)
        expect(page.locator("#notice-bar > div")).to_have_count(0)
        over = posted(receiver, secret)
        assert (over["state"], over["alert"]) == ("cleared", said["alert"]) and over["cleared_at"]
        assert mails.mails.get(timeout=WITHIN_S)["Subject"] == f"Over: {said['text']}"
        for caller in callers:
            caller.hang_up()
    box.bus.ask_until(GetBoard(), lambda reply: not any(one.waiting for one in reply.board.queues))
    assert not complaints
