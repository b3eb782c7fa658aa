"""Where the box's log goes beside its own disk: syslog servers of the NOC."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Name, Part, unique


class SyslogServerConfig(Part):
    name: Name
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$", max_length=253)]
    port: Annotated[int, Field(ge=0, le=65535)] = 0                  # 0: 514, with TLS 6514
    transport: Literal["tls", "tcp", "udp"] = "tls"
    ca_file: str = ""                             # PEM, of a server with its own; "": the public ones
    certificate_file: str = ""                    # PEM with its key, where the server wants to know the box
    facility: Literal["user", "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
                      "local7"] = "local0"
    level: Literal["debug", "info", "warning", "error"] = "info"     # and worse
    most_waiting: Annotated[int, Field(ge=10, le=5000)] = 2000       # while it is away; then the oldest go

    @model_validator(mode="after")
    def _tls(self) -> "SyslogServerConfig":
        if self.transport != "tls" and (self.ca_file or self.certificate_file):
            raise ValueError("ca_file, certificate_file: only with transport: tls")
        return self

    @property
    def to_port(self) -> int:
        return self.port or (6514 if self.transport == "tls" else 514)


class SyslogConfig(Part):
    servers: Annotated[list[SyslogServerConfig], Field(max_length=4)] = Field(default_factory=list)
    # "": the machine's
    hostname: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]*$", max_length=255)] = ""

    def placed(self, folder: Path) -> "SyslogConfig":
        """With files below `folder`."""
        return self.model_copy(update={"servers": [one.model_copy(update={
            name: str(folder / value) for name in ("ca_file", "certificate_file")
            if (value := getattr(one, name))}) for one in self.servers]})

    def files(self) -> list[str]:
        """Those that it names."""
        return [name for one in self.servers for name in (one.ca_file, one.certificate_file) if name]

    @model_validator(mode="after")
    def _names(self) -> "SyslogConfig":
        wrong: list[str] = []
        unique(wrong, "servers", [one.name for one in self.servers])
        if wrong:
            raise ValueError("; ".join(wrong))
        return self
