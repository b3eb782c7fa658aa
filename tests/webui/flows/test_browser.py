"""The editor in Debian's Chromium: a flow is drawn by mouse and by keyboard, tried, published, compared."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import EditFlow, FlowEdit, GetFlow, WriteFlow
from tests.webui.browser import SHOTS, chromium_running, serving, signed_in
from tests.webui.conftest import NAME, FakeExchange
from tests.webui.flows.shelf import MAIN, FlowShelf, row
from webui.users import Users


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, flows: FlowShelf, app: Flask, exchange: FakeExchange,
         users: Users) -> Iterator[Page]:
    complaints: list[str] = []
    with serving(app, exchange, users) as url:
        page = signed_in(chromium, url, "/flows/", complaints)
        expect(page.locator("#flow-list")).to_be_visible()
        yield page
        assert [one for one in complaints if "422" not in one and "409" not in one] == []
        page.context.close()


def shoot(page: Page, name: str) -> None:
    """In English, light, on a laptop; in Chinese, dark, on a large screen. Nothing is wider than that."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    looks: tuple[tuple[str, Literal["light", "dark"], int, int], ...] = (
        ("zh", "dark", 1920, 1080), ("en", "light", 1366, 768))
    for language, scheme, width, height in looks:
        page.context.add_cookies([{"name": "language", "value": language, "url": page.url}])
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        if page.locator("#picture").count():
            expect(page.locator(".flow-node").first).to_be_visible()
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name}: {wider} px wider than {width}"
        page.screenshot(path=SHOTS / f"flows-{name}-{language}-{width}.png")

def shoot_now(page: Page, name: str) -> None:
    page.screenshot(path=SHOTS / f"flows-{name}-en.png")


def node(page: Page, name: str) -> Any:
    return page.locator(f'.flow-node[data-name="{name}"]')


def port(page: Page, name: str, way: str) -> Any:
    """Of a way by what is written beside it."""
    return node(page, name).locator(".way", has=page.locator("text", has_text=way)).locator(".grip")


def drag(page: Page, begin: Any, x: float, y: float) -> None:
    box = begin.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.move(x, y, steps=5)
    page.mouse.up()


def drag_to(page: Page, begin: Any, name: str) -> None:
    box = node(page, name).locator(".body").bounding_box()
    drag(page, begin, box["x"] + 40, box["y"] + 15)


def wired(page: Page, name: str, to: str) -> Any:
    return page.locator(f'.wire[data-from="{name}"][data-to="{to}"]')


@pytest.mark.need(4)
def test_a_flow_is_drawn_by_mouse_tried_and_published(page: Page, flows: FlowShelf) -> None:
    shoot(page, "list")
    page.get_by_role("link", name="New flow").click()
    page.get_by_label("Name of the file").fill("holiday")
    page.get_by_label("Only a greeting").check()
    expect(page.get_by_role("combobox", name="Greeting")).to_have_value("greeting")
    shoot(page, "new")
    page.get_by_label("Name of the file").fill("holiday")
    page.get_by_label("Only a greeting").check()
    page.get_by_role("button", name="Make it and draw on").click()
    expect(node(page, "greeting")).to_be_visible()
    canvas = page.locator("#picture").bounding_box()
    assert canvas
    drag(page, page.locator("[data-put=menu]"), canvas["x"] + 350, canvas["y"] + 330)
    expect(node(page, "menu")).to_be_visible()
    drag_to(page, port(page, "greeting", "then"), "menu")
    expect(wired(page, "greeting", "menu")).to_be_attached()
    node(page, "menu").click()
    page.locator("#f-prompt-0").fill("holiday")
    page.locator("#f-prompt-0").press("Enter")
    drag_to(page, port(page, "menu", "otherwise"), "end")
    expect(wired(page, "menu", "end")).to_have_count(1)
    drag(page, page.locator("[data-put=queue]"), canvas["x"] + 640, canvas["y"] + 400)
    expect(node(page, "queue")).to_be_visible()
    drag_to(page, port(page, "menu", "1"), "queue")
    expect(wired(page, "menu", "queue")).to_be_attached()
    drag_to(page, port(page, "menu", "+"), "greeting")
    expect(wired(page, "menu", "greeting")).to_be_attached()
    end = wired(page, "menu", "greeting").locator(".end")
    drag(page, end, canvas["x"] + 60, canvas["y"] + 500)             # the wire's end is let go
    expect(wired(page, "menu", "greeting")).to_have_count(0)
    expect(page.locator("#marks")).to_contain_text("No mistakes")
    before = node(page, "queue").get_attribute("transform")
    drag(page, node(page, "queue").locator(".name"), canvas["x"] + 500, canvas["y"] + 520)
    expect(page.locator("#said")).to_have_text("queue moved")
    page.keyboard.press("Control+z")
    expect(page.locator("#said")).to_have_text("Taken back")
    expect(node(page, "queue")).to_have_attribute("transform", before or "")
    page.locator("[data-act=try]").click()
    expect(page.locator("#awaits")).to_have_text("Waits for a key.")
    page.get_by_role("button", name="1", exact=True).click()
    expect(page.locator("#awaits")).to_have_text("The caller waits in the queue sales.")
    expect(node(page, "queue")).to_have_attribute("data-now", "")
    expect(wired(page, "menu", "queue")).to_have_attribute("data-lit", "")
    page.screenshot(path=SHOTS / "flows-trial-en.png")
    page.get_by_role("button", name="Step back").click()
    expect(page.locator("#awaits")).to_have_text("Waits for a key.")
    page.locator("[data-trial=close]").click()
    page.locator("[data-act=publish]").click()
    page.get_by_label("Why, in a few words").fill("closed on the first")
    page.get_by_role("button", name="Publish it now").click()
    expect(page.locator("#flow-standing")).to_contain_text("Version 1 of admin")
    text = (flows.folder / "holiday.yaml").read_text()
    assert "prompt: holiday" in text and "'1': queue" in text
    page.get_by_role("link", name="Versions").click()
    expect(page.get_by_text("closed on the first")).to_be_visible()
    shoot(page, "history")


@pytest.mark.need(4)
def test_a_flow_is_drawn_by_keyboard_alone(page: Page, flows: FlowShelf) -> None:
    page.goto("flows/edit/main.yaml")
    expect(node(page, "greeting")).to_be_visible()
    page.locator("#picture").focus()
    names = []
    for _ in range(5):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.dataset.name"))
    assert names == ["greeting", "menu", "sales", "service", "end"]      # as it is read
    page.keyboard.press("ArrowDown")
    expect(page.locator("#said")).to_have_text("end moved")
    page.locator("[data-put=play]").focus()
    page.keyboard.press("Enter")
    expect(node(page, "play")).to_be_focused()
    page.keyboard.press("Enter")                  # its form
    expect(page.locator("#f-name")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("holiday")
    page.keyboard.press("Enter")
    expect(node(page, "holiday")).to_be_visible()
    page.locator("#f-prompt-0").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("holiday")
    page.keyboard.press("Tab")
    page.locator("#w-next").focus()
    page.keyboard.type("menu")
    expect(wired(page, "holiday", "menu")).to_be_attached()
    node(page, "greeting").focus()
    page.keyboard.press("Enter")
    page.locator("#w-next").focus()
    page.keyboard.type("holiday")
    expect(wired(page, "greeting", "holiday")).to_be_attached()
    expect(page.locator("#marks")).to_contain_text("No mistakes")
    node(page, "menu").focus()
    page.keyboard.press("Enter")
    page.locator("#w-more-to").focus()
    page.keyboard.type("holiday")                 # the next free key
    expect(wired(page, "menu", "holiday")).to_be_attached()
    page.locator("#tab-picture").focus()
    page.keyboard.press("ArrowRight")
    area = page.get_by_label("Text of the flow")
    assert "# sales first: most calls are for them" in area.input_value()
    assert "3: holiday" in area.input_value()
    area.fill(area.input_value().replace("queue: service", "queue: nobody"))
    area.press("Control+s")
    expect(page.locator("#text-marks")).to_contain_text("No queue is called “nobody”")
    expect(page.locator(".flow-lines [data-wrong]")).to_have_count(1)
    page.screenshot(path=SHOTS / "flows-text-en.png")
    page.locator("#tab-text").focus()
    page.keyboard.press("ArrowLeft")
    expect(node(page, "service")).to_have_attribute("data-wrong", "")
    page.locator("#marks button").focus()
    page.keyboard.press("Enter")
    shoot_now(page, "mistake")
    page.locator("[data-act=publish]").click()
    page.get_by_label("Why, in a few words").fill("no")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong")).to_contain_text("This was refused")
    node(page, "service").focus()
    page.keyboard.press("Delete")
    expect(node(page, "service")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(node(page, "service")).to_be_visible()


@pytest.mark.need(4)
def test_another_persons_draft_is_looked_at_compared_and_taken_over(page: Page, flows: FlowShelf) -> None:
    page.goto("flows/edit/main.yaml")
    expect(node(page, "greeting")).to_be_visible()
    edits = [FlowEdit(do="set", keys=["nodes", "greeting", "prompt"], value="holiday"),
             FlowEdit(do="remove", name="service"), FlowEdit(do="add", name="bye", value="{kind: hangup}"),
             FlowEdit(do="set", keys=["nodes", "menu", "digits", "9"], value="bye")]
    flows.ask(EditFlow(by="li", file="main.yaml", edits=edits))
    expect(page.locator("#flow-standing")).to_contain_text("Draft of li")
    expect(node(page, "bye")).to_be_visible()     # without being asked
    expect(page.locator("#theirs")).to_contain_text("draft of li")
    expect(page.locator("[data-act=publish]")).to_be_disabled()
    page.get_by_role("link", name="Compare").click()
    for name, change in (("greeting", "changed"), ("bye", "added"), ("service", "gone")):
        expect(node(page, name)).to_have_attribute("data-change", change)
    shoot(page, "compare")
    page.get_by_role("link", name="To the picture").click()
    page.get_by_role("button", name="Take it over").click()
    page.get_by_role("button", name="Press again to take").click()
    expect(page.locator("#flow-standing")).to_contain_text("Draft of admin")
    expect(page.locator("#theirs")).to_be_hidden()
    flows.ask(EditFlow(by="li", file="main.yaml", take=True, edits=[]))
    expect(page.locator("#theirs")).to_contain_text("draft of li")


@pytest.mark.need(4)
def test_a_text_begun_on_an_older_one_is_not_kept_over_it(page: Page, flows: FlowShelf) -> None:
    page.goto("flows/edit/main.yaml")
    expect(node(page, "greeting")).to_be_visible()
    page.locator("#tab-text").click()
    area = page.get_by_label("Text of the flow")
    area.fill(MAIN + "# one\n")
    area.press("Control+s")
    expect(page.locator("#said")).to_have_text("The text is kept in the draft")
    area.fill(MAIN + "# two\n")
    flows.ask(WriteFlow(by=NAME, file="main.yaml", text=MAIN + "# three\n"))       # in another window
    expect(page.locator("#theirs")).to_contain_text("has changed or published it")
    area.press("Control+s")
    expect(page.locator("#wrong")).to_contain_text("The draft has changed since.")
    area.press("Control+s")                       # it is not kept the second time, either
    expect(page.locator("#theirs")).to_contain_text("has changed or published it")
    assert flows.ask(GetFlow(file="main.yaml", draft=True)).text == MAIN + "# three\n"
    assert area.input_value() == MAIN + "# two\n"
    page.get_by_role("button", name="Show it as it is now").click()
    expect(area).to_have_value(MAIN + "# three\n")
    area.fill(MAIN + "# four\n")
    area.press("Control+s")
    expect(page.locator("#said")).to_have_text("The text is kept in the draft")
    expect(page.locator("#theirs")).to_be_hidden()
    assert flows.ask(GetFlow(file="main.yaml", draft=True)).text == MAIN + "# four\n"


@pytest.mark.need(4)
def test_each_draft_is_thrown_away_by_two_clicks(page: Page, flows: FlowShelf) -> None:
    page.goto("flows/edit/main.yaml")
    expect(node(page, "greeting")).to_be_visible()
    drop = page.locator("[data-act=drop]")
    for _ in range(2):
        flows.ask(WriteFlow(by=NAME, file="main.yaml", text=MAIN + "# one\n"))
        drop.click()
        expect(drop).to_have_text("Press again to throw the draft away")
        page.locator("#picture").focus()          # elsewhere: it was not meant
        expect(drop).to_have_text("Discard the draft")
        drop.click()
        expect(drop).to_have_text("Press again to throw the draft away")
        drop.click()
        expect(drop).to_be_hidden()


@pytest.mark.need(4)
def test_traffic_on_the_picture(page: Page, flows: FlowShelf) -> None:
    path = flows.folder / "main.yaml"
    flows.figures = [row(f"{path}: greeting", 40, by_next=38),
                     row(f"{path}: menu", 38, by_digit_1=20, by_digit_2=12, by_default=4),
                     row(f"{path}: sales", 24), row("/elsewhere/other.yaml: menu", 99)]
    page.goto("flows/edit/main.yaml")
    shoot(page, "editor")
    expect(node(page, "menu")).to_be_visible()
    page.get_by_label("Callers of").select_option("week")
    expect(node(page, "menu").locator(".counted text")).to_have_text("38")
    expect(node(page, "menu").locator(".way-count").first).to_have_text("20 · 53 %")
    page.goto("flow-traffic/of/main.yaml")
    expect(node(page, "sales").locator(".counted text")).to_have_text("24")
    shoot(page, "traffic")


def test_a_thousand_nodes_are_drawn_and_one_is_moved_at_once(page: Page, flows: FlowShelf) -> None:
    nodes = "".join(f"  n{number}: {{kind: menu, prompt: menu, digits: {{1: n{number + 1}}}, default: n0}}\n"
                    for number in range(999))
    text = f"start: n0\nnodes:\n{nodes}  n999: {{kind: hangup}}\n"
    flows.ask(WriteFlow(by=NAME, file="long.yaml", text=text))
    page.goto("flows/edit/long.yaml")
    expect(page.locator(".flow-node")).to_have_count(1000)
    took_ms = page.evaluate("""() => {
        const began = performance.now();
        const key = {key: 'ArrowDown', bubbles: true};
        for (let turn = 0; turn < 10; turn += 1)
            document.querySelector('.flow-node').dispatchEvent(new KeyboardEvent('keydown', key));
        document.body.offsetHeight;
        return (performance.now() - began) / 10;
    }""")
    assert took_ms < 100
