"""Where finished recordings go for good: an S3-compatible store, an SFTP server, or a folder to fetch from.

What is secret is in files of its own or in the environment, never here.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Name, Part

_HOURS = r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"


class S3Config(Part):
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s@/]+(/[^\s@]*)?$", max_length=256)]
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] = "us-east-1"
    addressing: Literal["path", "virtual"] = "path"
    ca_file: str = ""                             # PEM, of a hub with its own; "": the public ones
    # 0600, two lines: access key, secret key; "": BRANCHLINE_S3_ACCESS_KEY, BRANCHLINE_S3_SECRET_KEY
    credentials_file: str = ""


class SftpConfig(Part):
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$", max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    key_file: str                                 # OpenSSH private key without a pass phrase, 0600
    host_key: Annotated[str, Field(pattern=r"^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+$")]    # no other
    folder: Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=512)] = "."


class OutboxConfig(Part):
    """A folder of the box that somebody fetches from."""

    mebibytes: Annotated[int, Field(ge=16, le=1_048_576)] = 2048     # as much lies there at a time


class ArchiveConfig(Part):
    site: Name = "site"                           # first part of every object's name
    s3: S3Config | None = None
    sftp: SftpConfig | None = None
    outbox: OutboxConfig | None = None
    key_file: str = ""                            # 32 octets or 64 hex digits, 0600, shared with the hub
    hours: Annotated[str, Field(pattern=_HOURS)] | None = None       # local time; None: at any
    most_kbit_s: Annotated[float, Field(ge=8, le=10_000_000)] | None = None
    after_s: Annotated[float, Field(ge=0, le=30 * 86400)] = 60.0     # since its end: notes and tags come late
    keep_local_days: Annotated[float, Field(ge=0, le=36500)] | None = None   # then only the archive has it
    wait_for_archive: bool = True                 # retention deletes nothing that is not archived

    @model_validator(mode="after")
    def _one_place(self) -> "ArchiveConfig":
        places = [name for name in ("s3", "sftp", "outbox") if getattr(self, name) is not None]
        if len(places) > 1:
            raise ValueError(f"{' and '.join(places)}: recordings go to one place, remove the other")
        if places and not self.key_file:
            raise ValueError("key_file: is missing: make one with `branchline archive new-key FILE`, "
                             "and give it to the hub")
        if not places and self.keep_local_days is not None:
            raise ValueError("keep_local_days: needs s3, sftp or outbox, else the recording is nowhere")
        return self

    def placed(self, base: Path) -> "ArchiveConfig":
        """Its files' names below the document's folder."""
        def at(name: str) -> str:
            return str(base / name) if name else ""
        return self.model_copy(update={
            "key_file": at(self.key_file),
            "s3": self.s3 and self.s3.model_copy(update={
                "ca_file": at(self.s3.ca_file), "credentials_file": at(self.s3.credentials_file)}),
            "sftp": self.sftp and self.sftp.model_copy(update={"key_file": at(self.sftp.key_file)})})

    @property
    def configured(self) -> bool:
        return self.s3 is not None or self.sftp is not None or self.outbox is not None
