"""Published forms: each version is kept as it was, whatever becomes of its file."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from appliance.bus.messages import QualityFile, QualityForm, QualityItem
from appliance.errors import ConfigError, StateError
from appliance.recording.parts import Parts
from appliance.recording.quality import forms
from appliance.recording.quality.forms import Form
from appliance.recording.quality.tables import forms as table


def publish(parts: Parts, name: str, by: str) -> tuple[QualityForm, bool]:
    """The form's file as its next version; False: the very same was published before."""
    folder = Path(parts.config.quality.forms)
    paths = {path.stem: path for path in forms.files(folder)}
    if name not in paths:
        raise StateError(f"{folder}: no form is called {name!r}, there are {', '.join(paths) or 'none'}")
    try:
        form = forms.load(paths[name])
    except ConfigError as error:
        raise StateError(str(error)) from None
    digest = form.digest()
    with parts.database.write() as connection:
        new = connection.execute(select(table.c.digest).where(table.c.digest == digest)).first() is None
        if new:
            last = connection.execute(select(func.max(table.c.version)).where(table.c.name == name)).scalar()
            version, now = (last or 0) + 1, parts.now()
            connection.execute(insert(table).values(
                digest=digest, name=name, version=version, at=now, by=by, data=form.model_dump_json()))
            parts.chain.append(connection, now, "form-published", "", by,
                               {"form": name, "version": version, "digest": digest})
        return _info(*of(connection, digest)), new


def newest(connection: Connection, name: str) -> tuple[Form, str]:
    """With its digest. StateError: nothing of that name was published."""
    row = connection.execute(select(table).where(table.c.name == name)
                             .order_by(table.c.version.desc()).limit(1)).one_or_none()
    if row is None:
        raise StateError(f"no form {name!r} is published: branchline quality forms publish {name}")
    return Form.model_validate_json(row.data), row.digest


def of(connection: Connection, digest: str) -> tuple[Form, Row[Any]]:
    row = connection.execute(select(table).where(table.c.digest == digest)).one()
    return Form.model_validate_json(row.data), row


def info(connection: Connection, digest: str) -> QualityForm:
    return _info(*of(connection, digest))


def listed(connection: Connection) -> list[QualityForm]:
    """The newest version of each."""
    names = connection.execute(select(table.c.name).distinct().order_by(table.c.name)).scalars()
    return [info(connection, newest(connection, name)[1]) for name in names]


def in_folder(connection: Connection, folder: Path) -> list[QualityFile]:
    """How each file stands to what is published."""
    return [_file(connection, path) for path in forms.files(folder)]


def _file(connection: Connection, path: Path) -> QualityFile:
    try:
        digest = forms.load(path).digest()
    except ConfigError as error:
        return QualityFile(name=path.stem, state="wrong", what=str(error))
    try:
        return QualityFile(name=path.stem,
                           state="published" if newest(connection, path.stem)[1] == digest else "changed")
    except StateError:
        return QualityFile(name=path.stem, state="new")


def _info(form: Form, row: Row[Any]) -> QualityForm:
    items = [QualityItem(
        name=item.name, section=section.title, text=item.text, kind=item.kind, worst=item.worst, top=item.top,
        weight=section.weight * item.weight, fatal=item.fatal, na=item.na, help=item.help)
        for section in form.sections for item in section.items]
    return QualityForm(digest=row.digest, name=row.name, version=row.version, title=form.title,
                       passing=form.passing, published_at=row.at, by=row.by, items=items)
