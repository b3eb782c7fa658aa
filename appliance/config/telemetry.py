"""Where the box writes its series: an InfluxDB v2 API. Off unless `url` is given."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from appliance.config.part import Part

TAG = r"^[a-z][a-z0-9_]{0,31}$"
TIME = "time"                                     # InfluxDB takes no tag of this name
OURS = frozenset({                                # labels of the measures themselves
    "about", "alarm", "by", "card", "cause", "code", "daemon", "device", "direction", "end", "input",
    "interface", "kind", "queue", "sensor", "source", "span", "state", "supply", "trunk", "use", "version"})

_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _web_address(url: str) -> str:
    """Its words are in no error: there may be a password in it."""
    if not url.isascii() or not url.isprintable() or set(url) & set(" ?#\\"):
        raise ValueError("no web address: write e.g. https://influx.example:8086")
    if url:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            raise ValueError("no web address: write e.g. https://influx.example:8086") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("no name and password in a url: use token or token_file")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no web address: write e.g. https://influx.example:8086")
    return url


def _near(url: str) -> bool:
    """The host is this machine, or written as an address that is not public."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_private
    except ValueError:
        return False


class TelemetryConfig(Part):
    url: Annotated[str, Field(max_length=1000), AfterValidator(_web_address)] = ""   # "": telemetry is off
    org: _Text = ""
    bucket: _Text = "branchline"
    token: Annotated[str, Field(max_length=1000, pattern=r"^[\x21-\x7e]*$")] = Field(default="", repr=False)
    token_file: Annotated[str, Field(max_length=1000)] = ""          # 0600, one line; instead of token
    ca_file: Annotated[str, Field(max_length=1000)] = ""             # PEM; "": the public authorities
    interval_s: Annotated[float, Field(ge=5, le=3600)] = 30.0
    tags: Annotated[dict[Annotated[str, Field(pattern=TAG)],
                         Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]],
                    Field(max_length=16)] = Field(default_factory=dict)
    spool_mebibytes: Annotated[float, Field(ge=1, le=4096)] = 64.0   # on the disk while the server is away
    spool_days: Annotated[float, Field(gt=0, le=365)] = 7.0

    @model_validator(mode="after")
    def _together(self) -> "TelemetryConfig":
        if self.token and self.token_file:
            raise ValueError("token: token_file says it, too: write one of them")
        if (self.token or self.token_file) and not self.url:
            raise ValueError("url: is missing: telemetry is off without it, and has no use of a token")
        if urlsplit(self.url).scheme == "http":
            if self.ca_file:
                raise ValueError("ca_file: the url is not https")
            if (self.token or self.token_file) and not _near(self.url):
                raise ValueError("url: a token is sent by https only, or to a private address in numbers")
        if TIME in self.tags:
            raise ValueError(f"tags: InfluxDB has no tag {TIME!r}")
        wrong = sorted(set(self.tags) & OURS)
        if wrong:
            raise ValueError(f"tags: {wrong[0]!r} is a label of the measures themselves")
        return self
