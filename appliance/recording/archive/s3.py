"""Objects into S3-compatible storage, in parts: after a cut a push goes on after what is there."""

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from appliance.config.archive import S3Config
from appliance.errors import ConfigError
from appliance.recording.archive.key import read_secret
from appliance.recording.archive.objects import BLOCK_OCTETS, ArchiveObject
from appliance.recording.archive.pace import Pace
from appliance.recording.archive.place import MORE, PlaceError

MOST_PAGES = 16                                   # of a thousand parts each; S3 has ten thousand of an object
PART_OCTETS = 5 * 2 ** 20                         # the least that S3 allows of all but the last
ACCESS_KEY, SECRET_KEY = "BRANCHLINE_S3_ACCESS_KEY", "BRANCHLINE_S3_SECRET_KEY"
_GONE = {"NoSuchUpload", "404", "NoSuchKey"}


class S3:
    """One bucket. What it raises of its own is PlaceError; ConfigError for the credentials."""

    def __init__(self, config: S3Config) -> None:
        self.name = f"s3 {config.endpoint} {config.bucket}"
        access_key, secret_key = _credentials(config)
        self._bucket = config.bucket
        # Checksums that S3-compatible servers do not know are left out: what counts is read back.
        self._client: Any = botocore.session.Session().create_client(
            "s3", endpoint_url=config.endpoint, region_name=config.region, verify=config.ca_file or None,
            aws_access_key_id=access_key, aws_secret_access_key=secret_key,
            config=Config(connect_timeout=10, read_timeout=60,
                          retries={"mode": "standard", "total_max_attempts": 4},
                          s3={"addressing_style": config.addressing},
                          request_checksum_calculation="when_required",
                          response_checksum_validation="when_required"))

    def push(self, sent: ArchiveObject, state: dict[str, Any], keep: Callable[[dict[str, Any]], None],
             pace: Pace) -> str:
        """SHA-256 of the object as the bucket gives it back. `state` is what `keep` was given last."""
        where = {"Bucket": self._bucket, "Key": sent.name}
        with _said():
            there = self._parts(where, state)
            if there is None:
                if state and (digest := self._digest(where, sent.octets, pace)) is not None:
                    return digest                 # it was complete, and nobody had noted it
                state = {"upload": self._client.create_multipart_upload(**where)["UploadId"]}
                keep(state)
                there = {}
            upload = where | {"UploadId": state["upload"]}
            parts = []
            for number, at in enumerate(range(0, sent.octets, PART_OCTETS), 1):
                octets = min(PART_OCTETS, sent.octets - at)
                etag, size = there.get(number, ("", -1))
                if size != octets:
                    etag = self._client.upload_part(
                        **upload, PartNumber=number, Body=_Paced(sent.read(at, octets), pace))["ETag"]
                parts.append({"PartNumber": number, "ETag": etag})
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
            digest = self._digest(where, sent.octets, pace)
        if digest is None:
            raise PlaceError(f"{sent.name}: the bucket took it and does not have it: look at the server")
        return digest

    def _parts(self, where: dict[str, str], state: dict[str, Any]) -> dict[int, tuple[str, int]] | None:
        """Number, ETag, octets of what is there; None: there is no such upload (any more)."""
        if "upload" not in state:
            return None
        found: dict[int, tuple[str, int]] = {}
        try:
            pages = self._client.get_paginator("list_parts").paginate(**where, UploadId=state["upload"])
            for page in islice(pages, MOST_PAGES):
                found |= {part["PartNumber"]: (part["ETag"], part["Size"]) for part in page.get("Parts", [])}
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return None
        return found

    def _digest(self, where: dict[str, str], most_octets: int, pace: Pace) -> str | None:
        """None: it is not there."""
        try:
            body = self._client.get_object(**where)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return None
        digest = hashlib.sha256()
        with contextlib.closing(body):
            for block in body.iter_chunks(BLOCK_OCTETS):
                pace.take(len(block))
                digest.update(block)
                most_octets -= len(block)
                if most_octets < 0:
                    raise PlaceError(f"{where['Key']}: {MORE}")
        return digest.hexdigest()


class _Paced(io.BytesIO):
    def __init__(self, octets: bytes, pace: Pace) -> None:
        super().__init__(octets)
        self._pace = pace

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self._pace.take(len(block))
        return block


@contextmanager
def _said() -> Iterator[None]:
    """Errors of the client in words that hold no secret."""
    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        raise PlaceError(f"the S3 server refuses {error.operation_name}: {said.get('Code')}: see to the "
                         "bucket, its rights and archive.s3") from None
    except BotoCoreError as error:
        raise PlaceError(f"the S3 server cannot be reached: {type(error).__name__}: see to the network and "
                         "archive.s3.endpoint") from None


def _credentials(config: S3Config) -> tuple[str, str]:
    if not config.credentials_file:
        found = os.environ.get(ACCESS_KEY, ""), os.environ.get(SECRET_KEY, "")
        if not all(found):
            raise ConfigError(f"archive.s3: give credentials_file, or {ACCESS_KEY} and {SECRET_KEY}")
        return found
    lines = read_secret(Path(config.credentials_file), most_octets=4096).decode(errors="replace").split()
    if len(lines) != 2:
        raise ConfigError(f"{config.credentials_file}: needs two lines: access key, secret key")
    return lines[0], lines[1]
