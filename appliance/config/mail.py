"""The mail server that takes what the box sends. Its password is in a file of its own, never here."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Part

ADDRESS = r"^[^\s@,;<>\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,253}$"


class MailConfig(Part):
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$", max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"        # none: only where no password is sent
    ca_file: str = ""                             # PEM, of a server with its own; "": the public ones
    user: Annotated[str, Field(max_length=128)] = ""                 # "": nobody signs in
    password_file: str = ""                       # 0600, one line
    sender: Annotated[str, Field(pattern=ADDRESS)]                   # the From of every mail

    @model_validator(mode="after")
    def _password_is_not_sent_open(self) -> "MailConfig":
        if self.user and not self.password_file:
            raise ValueError("user: needs password_file")
        if self.user and self.security == "none":
            raise ValueError("user: a password is only sent by starttls or tls")
        return self
