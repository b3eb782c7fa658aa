"""Where backups go, when they are made and how many stay: a form over `backup` of the configuration."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext

from appliance.config.backup import BackupConfig, MonthlyConfig, WeeklyConfig
from webui.access.doors import needs
from webui.centre.forms import Field, fields_of, read, sent, shown
from webui.centre.forms import Wrong as WrongField
from webui.centre.held import Held, held
from webui.centre.labels import choice
from webui.centre.pages import proposed
from webui.centre.proposals import Wrong
from webui.system.backup_pages import bp

TIMES = {"weekly": WeeklyConfig, "monthly": MonthlyConfig}


@bp.get("/settings")
@needs("configure", whole=True)
def settings() -> str:
    now = held()
    return _form(now, _written(now))


@bp.post("/settings")
@needs("commit", by_hand=True, whole=True)
def save_settings() -> Any:
    now = held()
    typed = {**sent([*_fields().values()], request.form),
             **{name: request.form.get(name) == "yes" for name in TIMES}}
    backup, wrong = _read(now, typed)
    if wrong:
        return _form(now, typed, wrong), 422
    draft = now.draft()
    draft["backup"] = backup
    if not backup:
        del draft["backup"]

    def again(refusal: Wrong) -> str:
        return _form(now, typed, [f"{one.key}: {one.what}" if one.key else one.what
                                  for one in refusal.mistakes])
    return proposed(now, draft, url_for("box_backup.settings"), again)


def _fields() -> dict[str, Field]:
    own = fields_of(BackupConfig)
    return {key: one for key, one in own.items() if key != "box"}


def _written(now: Held) -> dict[str, Any]:
    """What the form shows of the configuration; of times that are not set, what is usual."""
    part: Mapping[str, Any] = now.plain.get("backup") or {}
    values = shown([*_fields().values()], part)
    for name, kind in TIMES.items():
        values[name] = bool(part.get(name)) or name in part
        usual = kind().model_dump()
        for key, value in usual.items():
            values[f"{name}.{key}"] = values.get(f"{name}.{key}") or str(value)
    return values


def _read(now: Held, typed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The plain data of `backup`, and what is wrong."""
    old: dict[str, Any] = dict(now.plain.get("backup") or {})
    faults: list[WrongField] = []
    wanted = [field for key, field in _fields().items() if key.partition(".")[0] not in TIMES]
    new = read(wanted, typed, {key: value for key, value in old.items() if key not in TIMES}, faults)
    for name in TIMES:
        if typed[name]:
            prefix = f"{name}."
            own = [field for key, field in _fields().items() if key.startswith(prefix)]
            new |= read(own, typed, {name: old.get(name) or {}}, faults)
            new.setdefault(name, {})
    wrong = [gettext("This is no number: %(what)s", what=one.about) for one in faults]
    path = str(new.get("path", ""))
    if path and not path.startswith("/"):
        wrong.append(gettext("Write the folder from the root on, e.g. /media/usb/backups."))
    if not path and any(new.get(name) is not None for name in (*TIMES, "hub")) and not wrong:
        wrong.append(gettext("Name the folder that backups are written to."))
    archive = now.config.archive
    if new.get("hub") and not (archive.s3 or archive.sftp):
        wrong.append(gettext("There is no archive to send a copy to: give it a place under archive first."))
    return new, wrong


def _form(now: Held, values: Mapping[str, Any], wrong: list[str] | None = None) -> str:
    return render_template("system/backup_settings.html", values=values, fields=_fields(), wrong=wrong or [],
                           choice=choice, head=now.head, archived=bool(
                               now.config.archive.s3 or now.config.archive.sftp))

