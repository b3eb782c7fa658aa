"""Who lost the last administrator's password comes in again from the box's own disk, and the log says so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.store.audit import Asked, Audit
from tests.webui.conftest import NAME, PASSWORD, QUICK
from webui.access.factors import Factors
from webui.users import Users


@pytest.fixture
def state(tmp_path: Path) -> Path:
    users = Users(tmp_path / "users.sqlite", QUICK)
    users.create_first(NAME, PASSWORD)
    factors = Factors(tmp_path / "factors.sqlite", tmp_path / "factors.key")
    factors.new_codes(NAME)
    return tmp_path


def command(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "appliance.launch", "people-password", *words,
                           "--state-dir", str(state)], capture_output=True, text=True, check=False)


def test_a_password_for_once_ends_what_was_open(state: Path) -> None:
    users = Users(state / "users.sqlite", QUICK)
    before = users.sign_in(NAME, PASSWORD)
    assert before
    done = command(state, NAME)
    password = done.stdout.splitlines()[0]
    assert (done.returncode, done.stderr) == (0, "") and re.fullmatch(r"(\w{4}-){2}\w{4}", password)
    assert users.get(before.session) is None and users.check(NAME, PASSWORD) is None
    found = users.check(NAME, password)
    assert found and found.must_change
    assert Factors(state / "factors.sqlite", state / "factors.key").of(NAME).codes_left
    audit = Audit(state / "audit.sqlite")
    (entry,) = audit.entries(Asked(), 9)
    assert (entry.act, entry.what, entry.outcome) == ("password-reset", NAME, "") and entry.by
    assert audit.verify().broken_at == 0 and password not in repr(entry)


def test_second_factors_go_when_that_is_said(state: Path) -> None:
    assert command(state, NAME, "--factors").returncode == 0
    assert not Factors(state / "factors.sqlite", state / "factors.key").of(NAME).codes_left
    assert [one.act for one in Audit(state / "audit.sqlite").entries(Asked(), 9)] == [
        "factors-cleared", "password-reset"]


def test_what_is_refused_changes_nothing(state: Path, tmp_path: Path) -> None:
    users = Users(state / "users.sqlite", QUICK)
    users.add("anna", PASSWORD, "supervisor", users.people()[0].within, NAME)
    users.disable("anna")
    for where, name, said in ((state, "nobody", f"there are {NAME}, anna"), (state, "anna", "is disabled"),
                              (tmp_path / "elsewhere", NAME, "is not there")):
        done = command(where, name)
        assert done.returncode == os.EX_DATAERR and said in done.stderr and not done.stdout
    assert users.check(NAME, PASSWORD) and not (tmp_path / "elsewhere").exists()
    assert not (state / "audit.sqlite").exists()
