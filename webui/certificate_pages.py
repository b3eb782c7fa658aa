"""The certificate of the pages: what browsers see, a request for the branch's authority, putting one in."""

import time
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext

from webui.access.doors import needs
from webui.certificate import MOST_OCTETS, Certificates, WrongCertificate
from webui.certificate_forms import as_pem
from webui.parts import parts
from webui.texts import word

bp = Blueprint("certificate", __name__, url_prefix="/box/certificate")

MOST_PASSWORD = 1024


@bp.get("/")
@needs("box")
def index() -> str:
    return _index()


@bp.get("/request.csr")
@needs("box")
def signing_request() -> Response:
    answer = Response(_certificates().request(), mimetype="application/pkcs10")
    answer.headers["Content-Disposition"] = "attachment; filename=branchline.csr"
    return answer


@bp.post("/")
@needs("box", act="certificate")
def put_in() -> Any:
    files = [file.stream.read(MOST_OCTETS + 1) for file in request.files.getlist("pem")]
    password = request.form.get("password", "")[:MOST_PASSWORD]
    try:
        _certificates().put_in(b"\n".join(as_pem(octets, password) for octets in (
            *files, request.form.get("text", "").encode())), time.time())
    except WrongCertificate as error:
        return _index(str(word(error.words, "certificate"))), 422
    return redirect(url_for("certificate.index"), 303)


@bp.post("/own")
@needs("box", act="own-certificate")
def own() -> Any:
    if request.form.get("sure") != "yes":
        return _index(gettext("Say that browsers may warn of it until they know the new one.")), 422
    _certificates().own(time.time())
    return redirect(url_for("certificate.index"), 303)


def _certificates() -> Certificates:
    """404: without TLS there is none."""
    certificates = parts().settings.certificates
    if certificates is None:
        abort(404)
    return certificates


def _index(wrong: str = "") -> str:
    certificates, now = parts().settings.certificates, time.time()
    shown = certificates.shown() if certificates else None
    return render_template(
        "box/certificate.html", shown=shown, soon=shown is not None and shown.soon(now), wrong=wrong)
