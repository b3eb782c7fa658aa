"""Saved reports: planned, made, sent, tried again; broken off anywhere, none is lost and no file doubled."""

import email
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.client import BusError
from appliance.config.mail import MailConfig
from tests.webui.conftest import NAME, FakeExchange, post
from tests.webui.reports.month import DAY_S, Month
from webui.access.audit import Asked
from webui.access.ranges import Range
from webui.mail import send
from webui.reports import saved_pages
from webui.reports.choice import Choice
from webui.reports.saved import SavedReport, SavedReports
from webui.reports.sending import FIRST_S, MOST_TRIES, Sending, retry_at
from webui.users import Users

MAIL = MailConfig(host="mail.example.com", sender="box@example.com")


class Killed(BaseException):
    """The process is gone."""


class Post:
    """A mail server at hand; `refuses` as often as it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.refuses = 0

    def send(self, config: MailConfig, message: EmailMessage) -> None:
        if self.refuses:
            self.refuses -= 1
            raise OSError("connection refused")
        self.taken.append(message)


@pytest.fixture
def there(app: Flask, users: Users, month: Month) -> SavedReports:
    users.create_first(NAME, "correct horse battery")
    found: SavedReports = app.extensions[saved_pages.EXTENSION]
    return found


@pytest.fixture
def letters() -> Post:
    return Post()


@pytest.fixture
def sending(app: Flask, there: SavedReports, users: Users, exchange: FakeExchange, letters: Post) -> Sending:
    return sender(app, there, users, exchange, letters)


def sender(app: Flask, there: SavedReports, users: Users, exchange: FakeExchange, letters: Post) -> Sending:
    made = Sending(app, there, users, lambda asked: exchange.ask(asked), MAIL)
    made._send = letters.send
    return made


def report(month: Month, **changes: Any) -> SavedReport:
    """Of yesterday, each day at six."""
    one = SavedReport(name="昨日服务", by=NAME, language="zh", form="csv", every="daily", day=0, at="06:00",
                      query=Choice(period="yesterday", set="service").query(), mail="boss@example.com",
                      keep=30, planned_to=month.first + 14 * DAY_S)
    return replace(one, **changes)


def files(there: SavedReports, number: int) -> list[str]:
    folder = there.folder_of(number)
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_each_day_has_its_file_and_its_mail(
        there: SavedReports, sending: Sending, letters: Post, month: Month) -> None:
    number = there.add(report(month))
    six = month.first + 14 * DAY_S + 6 * 3600
    assert sending.work(six - 1) == six
    assert files(there, number) == []
    assert sending.work(six) == six + DAY_S
    assert sending.work(six + 60) == six + DAY_S
    [name] = files(there, number)
    yesterday = f"{month.day(13):%Y%m%d}"
    assert name == f"{month.day(14):%Y%m%d}-060000-queue-service-{yesterday}-{yesterday}.csv"
    [letter] = letters.taken
    assert letter["To"] == "boss@example.com" and letter["Subject"].startswith("昨日服务")
    [attached] = letter.iter_attachments()
    assert attached.get_filename() == name
    octets = (there.folder_of(number) / name).read_bytes()
    assert attached.get_payload(decode=True) == octets and "服务水平".encode() in octets
    sending.work(six + 3 * DAY_S)                 # the box was away for two days
    assert len(files(there, number)) == len(letters.taken) == 4
    assert len({letter["Message-ID"] for letter in letters.taken}) == 4


@pytest.mark.parametrize("step", ["keep_file", "made", "sent", "let_go", "fsync"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_step_it_goes_on_where_it_was(
        app: Flask, there: SavedReports, users: Users, exchange: FakeExchange, letters: Post, month: Month,
        monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    number, six = there.add(report(month)), month.first + 14 * DAY_S + 6 * 3600

    def killing(real: Any) -> Any:
        def gone(*args: Any, **named: Any) -> Any:
            if when == "after":
                real(*args, **named)
            raise Killed
        return gone
    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr("webui.reports.saved.os.fsync", killing(lambda descriptor: None))
        else:
            patch.setattr(SavedReports, step, killing(getattr(SavedReports, step)))
        with pytest.raises(Killed):
            sender(app, there, users, exchange, letters).work(six)
    again = sender(app, SavedReports(there.folder), users, exchange, letters)
    again.work(six + 1)
    again.work(six + 2)
    assert [name for name in files(there, number) if not name.endswith(".new")] == [
        there.runs(number)[0].file]
    twice = step == "sent" and when == "before"   # the server took it, and nobody had written that down
    assert len(letters.taken) == (2 if twice else 1)
    assert len({letter["Message-ID"] for letter in letters.taken}) == 1
    assert [run.over for run in there.runs(number)] == [True]


def test_mail_is_tried_again_ever_more_seldom_and_then_given_up(
        there: SavedReports, sending: Sending, letters: Post, month: Month) -> None:
    number, at = there.add(report(month)), month.first + 14 * DAY_S + 6 * 3600
    letters.refuses = 3
    waits = []
    for _ in range(3):
        sending.work(at)
        [run] = there.runs(number)
        assert "connection refused" in run.error and not run.over
        waits.append(run.next_at - at)
        assert len(month.asked) == 2              # it is made once, whatever becomes of the mail
        sending.work(at + 1)                      # not yet
        at = run.next_at
    assert waits == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S] and letters.taken == []
    sending.work(at)
    assert len(letters.taken) == 1 and there.runs(number)[0].error == ""
    assert retry_at(20, 0.0) == 3600.0
    letters.refuses, due = 10**6, int(at) + 5
    there.plan_now(number, due)
    for tries in range(MOST_TRIES):
        there_run = there.run(number, due)
        assert there_run is not None and there_run.tries == tries and not there_run.over
        sending.work(there_run.next_at)
    given_up = there.run(number, due)
    assert given_up is not None and given_up.over and given_up.file


def test_acdd_away_a_report_waits_for_it(
        there: SavedReports, sending: Sending, exchange: FakeExchange, month: Month, letters: Post,
        monkeypatch: pytest.MonkeyPatch) -> None:
    number, six = there.add(report(month)), month.first + 14 * DAY_S + 6 * 3600

    def away(request: Any, timeout_s: float = 2.0) -> Any:
        raise BusError("GetFigures: no answer")
    with monkeypatch.context() as patch:
        patch.setattr(exchange, "ask", away)
        assert sending.work(six) == six + FIRST_S
    sending.work(six + FIRST_S)
    assert len(files(there, number)) == len(letters.taken) == 1


def test_who_may_not_see_it_any_more_gets_none(
        there: SavedReports, sending: Sending, users: Users, month: Month, letters: Post) -> None:
    users.add("lee", "correct horse battery", "supervisor", Range(), NAME)
    number = there.add(report(month, by="lee"))
    users.change("lee", "supervisor", Range(queues=frozenset({"sales"})))
    sending.work(month.first + 15 * DAY_S)
    [run] = there.runs(number)
    assert run.over and run.file == "" and "may not see" in run.error and letters.taken == []


def test_only_so_many_files_are_kept_and_a_removed_report_leaves_none(
        there: SavedReports, sending: Sending, month: Month) -> None:
    number = there.add(report(month, keep=2, mail=""))
    for day in range(15, 20):
        sending.work(month.first + day * DAY_S)
    assert [name[:8] for name in files(there, number)] == [f"{month.day(day):%Y%m%d}" for day in (17, 18)]
    there.remove(number)
    assert not there.folder_of(number).exists() and there.all() == [] and there.waiting() == []


def test_a_clock_set_back_makes_nothing_twice(
        there: SavedReports, sending: Sending, month: Month, letters: Post) -> None:
    number = there.add(report(month))
    for day in (15, 14.5, 16):
        sending.work(month.first + day * DAY_S)
    assert len(files(there, number)) == len(letters.taken) == 2


# --- pages


def test_a_report_is_saved_made_now_fetched_and_removed(
        app: Flask, client: FlaskClient, month: Month, users: Users, exchange: FakeExchange,
        letters: Post) -> None:
    query = Choice(period="dates", since=f"{month.day(14):%Y-%m-%d}", until=f"{month.day(14):%Y-%m-%d}",
                   set="service").query()
    form = {"name": "  Monday <b>  ", "query": query, "form": "xlsx", "every": "weekly", "weekday": "2",
            "monthday": "1", "at": "07:15", "keep": "3", "mail": "a@example.com; b@example.com"}
    there = SavedReports(app.extensions[saved_pages.EXTENSION].folder)
    token_of = f"/reports/saved?{query}"
    assert "Save this report" in client.get(token_of).text
    assert post(client, "/reports/saved", **form).status_code == 303
    [one] = there.all()
    assert (one.name, one.by, one.day, one.at, one.keep) == ("Monday <b>", NAME, 2, "07:15", 3)
    assert one.addresses == ["a@example.com", "b@example.com"] and one.language == "en"
    assert post(client, f"/reports/saved/{one.id}/make").status_code == 303
    sender(app, there, users, exchange, letters).work(datetime.now().timestamp())
    page = client.get("/reports/saved").text
    assert "Monday &lt;b&gt;" in page and "sent " in page
    [run] = there.runs(one.id)
    with client.get(f"/reports/saved/{one.id}/{run.due}") as file:
        assert file.status_code == 200 and file.data.startswith(b"PK")
        assert run.file in file.headers["Content-Disposition"]
    assert client.get(f"/reports/saved/{one.id}/1").status_code == 404
    assert post(client, f"/reports/saved/{one.id}/remove").status_code == 303
    assert client.get(f"/reports/saved/{one.id}/{run.due}").status_code == 404
    audit = app.extensions["branchline"].audit
    done = [entry for entry in audit.entries(Asked(), 20) if entry.act.startswith("report-")]
    assert [entry.act for entry in done if entry.outcome == ""] == [
        "report-removed", "report-file", "report-made", "report-saved"]
    assert {entry.by for entry in done} == {NAME}


WRONG: tuple[dict[str, str], ...] = (
    {"name": ""}, {"name": "x" * 101}, {"name": "=?utf-8?q?paid?="}, {"form": "exe"}, {"every": "hourly"},
    {"at": "25:00"}, {"keep": "0"},
    {"weekday": "x", "every": "weekly"}, {"monthday": "32", "every": "monthly"}, {"query": "kind=weather"},
    {"mail": "no address"}, {"mail": "a@b.c\r\nBcc: x@y.z <x@y.z>"}, {"mail": ",".join(["a@b.c"] * 11)})


def test_what_cannot_be_saved_is_said_and_saves_nothing(
        app: Flask, client: FlaskClient, month: Month) -> None:
    form = {"name": "n", "query": Choice(set="service").query(), "form": "csv", "every": "daily",
            "at": "06:00", "keep": "3", "mail": ""}
    for wrong in WRONG:
        answer = post(client, "/reports/saved", **form | wrong)
        assert answer.status_code == 422 and 'role="alert"' in answer.text, wrong
    assert app.extensions[saved_pages.EXTENSION].all() == []


# --- mail


class Keeps:
    def __init__(self) -> None:
        self.taken: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(email.message_from_bytes(envelope.content))
        return "250 taken"


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[tuple[Keeps, MailConfig]]:
    """One that wants STARTTLS and a password."""
    certificate, key = self_signed(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    keeps = Keeps()

    def signs_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"box", b"secret word"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(keeps, hostname="127.0.0.1", port=port, tls_context=tls, require_starttls=True,
                            authenticator=signs_in, auth_required=True)
    controller.start()
    (tmp_path / "password").write_text("secret word\n")
    try:
        yield keeps, MailConfig(host="localhost", port=port, user="box", sender="box@example.com",
                                password_file=str(tmp_path / "password"), ca_file=str(certificate))
    finally:
        controller.stop()


def self_signed(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "mail.pem", folder / "mail.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return certificate, key


def a_letter() -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "box@example.com", "boss@example.com", "日报"
    letter.set_content("附件")
    letter.add_attachment(b"=1", maintype="text", subtype="csv", filename="报表.csv")
    return letter


def test_mail_goes_by_tls_and_with_the_password(mail_server: tuple[Keeps, MailConfig]) -> None:
    keeps, config = mail_server
    send(config, a_letter())
    [taken] = keeps.taken
    assert str(make_header(decode_header(taken["Subject"]))) == "日报"
    assert [part.get_filename() for part in taken.walk() if part.get_filename()] == ["报表.csv"]


@pytest.mark.parametrize("changes", [{"ca_file": ""}, {"security": "none", "user": "", "password_file": ""}])
def test_mail_goes_to_nobody_else_and_never_in_the_clear(
        mail_server: tuple[Keeps, MailConfig], changes: dict[str, str]) -> None:
    keeps, config = mail_server
    with pytest.raises(OSError):                  # another's certificate; a server that wants TLS first
        send(config.model_copy(update=changes), a_letter())
    assert keeps.taken == []


def test_a_password_is_never_configured_to_be_sent_in_the_clear() -> None:
    with pytest.raises(ValueError, match="starttls or tls"):
        MailConfig(host="h", sender="a@b.c", user="u", password_file="f", security="none")
