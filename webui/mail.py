"""Mail that leaves the box: one message to the configured server, by TLS unless told otherwise."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

from appliance.config.mail import MailConfig

PATIENCE_S = 30.0


def send(config: MailConfig, message: EmailMessage) -> None:
    """Done when the server has taken it. OSError (SMTPException is one): it has not, or nobody knows."""
    kept = None
    if config.security != "none":
        kept = ssl.create_default_context(cafile=config.ca_file or None)
    if config.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(config.host, config.port, timeout=PATIENCE_S, context=kept)
    else:
        server = smtplib.SMTP(config.host, config.port, timeout=PATIENCE_S)
    try:
        if config.security == "starttls":
            server.starttls(context=kept)
        if config.user:
            server.login(config.user, Path(config.password_file).read_text().strip())
        server.send_message(message, from_addr=config.sender)
    finally:
        with suppress(OSError):                   # what was taken is taken, however they part
            server.quit()
        server.close()
