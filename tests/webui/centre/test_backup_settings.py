"""The form of backups: what it shows, what it changes after a look, what it refuses."""

from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from tests.webui.centre.conftest import DOCUMENT
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import token

FORM = {"path": "/media/usb/backups", "mounted": "yes", "most_mebibytes_s": "20", "weekly.day": "sunday",
        "weekly.at": "02:30", "weekly.keep": "5", "monthly.day": "1", "monthly.at": "02:30",
        "monthly.keep": "12"}


def send(client: FlaskClient, **form: str) -> Any:
    return client.post("/box/backup/settings", data=form | {"csrf_token": token(client)})


def sure(client: FlaskClient, answer: Any) -> None:
    assert answer.status_code == 303, answer.text
    page = client.get(answer.location)
    assert page.status_code == 200
    again = client.post(answer.location, data={
        "csrf_token": token(client, answer.location), "why": "before the winter", "minutes": "0"})
    assert again.status_code == 303, again.text


def backup(kept: Kept) -> Any:
    return yaml.safe_load(kept.document.read_text()).get("backup")


def test_what_is_usual_is_offered_and_nothing_is_changed_by_looking(client: FlaskClient, kept: Kept) -> None:
    page = client.get("/box/backup/settings").text
    assert 'name="weekly.at" value="02:30"' in page and '<option value="sunday" selected>' in page
    assert 'name="weekly" value="yes">' in page and 'name="mounted" value="yes" checked>' in page
    assert send(client, **FORM | {"path": ""}).location == "/box/backup/settings"
    assert kept.document.read_text() == DOCUMENT


@pytest.mark.need(16)
def test_a_weekly_and_a_monthly_one_are_set_and_taken_away(client: FlaskClient, kept: Kept) -> None:
    answer = send(client, **FORM | {"weekly": "yes", "monthly": "yes", "weekly.day": "friday",
                                    "monthly.keep": "24", "recordings": "yes"})
    assert kept.document.read_text() == DOCUMENT  # nothing before the yes
    sure(client, answer)
    assert backup(kept) == {"path": "/media/usb/backups", "recordings": True, "weekly": {"day": "friday"},
                            "monthly": {"keep": 24}}
    assert kept.document.read_text().startswith("# The branch in Suzhou")
    page = client.get("/box/backup/settings").text
    assert '<option value="friday" selected>' in page and 'name="monthly" value="yes" checked>' in page
    sure(client, send(client, **FORM | {"weekly": "yes", "weekly.day": "friday"}))
    assert backup(kept) == {"path": "/media/usb/backups", "recordings": False, "weekly": {"day": "friday"}}
    sure(client, send(client, **FORM | {"path": "", "weekly.day": "friday"}))
    assert not any(backup(kept).values())


@pytest.mark.parametrize(("form", "said"), [
    ({"path": "usb"}, "from the root on"),
    ({"path": "", "weekly": "yes"}, "Name the folder"),
    ({"hub": "yes"}, "There is no archive"),
    ({"weekly": "yes", "weekly.keep": "many"}, "This is no number"),
    ({"weekly": "yes", "weekly.keep": "0"}, "backup.weekly.keep"),
    ({"monthly": "yes", "monthly.at": "25:00"}, "backup.monthly.at"),
    ({"weekly": "yes", "weekly.day": "someday"}, "backup.weekly.day"),
    ({"path": "/" + 1001 * "x"}, "backup.path"),
])
def test_what_cannot_be_is_said_and_changes_nothing(
        client: FlaskClient, kept: Kept, form: dict[str, str], said: str) -> None:
    answer = send(client, **FORM | form)
    assert answer.status_code == 422 and said in answer.text
    assert kept.document.read_text() == DOCUMENT
    for typed in form.values():
        assert typed in answer.text or typed == "someday"
