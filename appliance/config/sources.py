"""Where flows look things up, and what speaks their texts."""

import re
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, field_validator, model_validator

from appliance.config.part import Name, Part

_NAMED = re.compile(r"\{([^{}]*)\}")
_BOUND = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_DATABASE = re.compile(r"(sqlite|postgresql|mysql|mariadb)(\+\w+)?://")
_OPTIONS = {"sslmode": re.compile("disable|require|verify-full"), "sslrootcert": re.compile("/.*")}
_READS = re.compile(r"\s*(select|with)\b", re.IGNORECASE)


class SourceConfig(Part):
    """Exactly one of url, database and table. It is asked with pairs of a key and a value, both text."""

    name: Name
    url: Annotated[str, Field(max_length=1000)] | None = None        # http(s); {key} takes a value, quoted
    method: Literal["GET", "POST"] = "GET"        # the other values: in the query, or as a JSON object
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    database: str | None = Field(default=None, repr=False)           # sqlite:////srv/crm.db, or of a server
    query: Annotated[str, Field(max_length=4000)] | None = None      # one SELECT; :key takes a value
    table: str | None = None                      # a CSV file in UTF-8 whose first line has the columns
    at_once: Annotated[int, Field(ge=1, le=64)] = 8                  # requests; one more is an error

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None:
            parts = urlsplit(_NAMED.sub("x", url))
            if parts.username is not None or parts.password is not None:
                raise ValueError("no name and password in a url: write them as a header, Authorization")
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r}: write e.g. https://crm.example/customers/{{number}}")
            if "{" in url.partition("://")[2].partition("/")[0]:
                raise ValueError(f"{url!r}: the host is fixed: values go into the path and the query")
        return url

    @field_validator("headers")
    @classmethod
    def _one_line(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not (value.isascii() and value.isprintable()):
                raise ValueError(f"{name!r}: a header is one line of ASCII")
        return headers

    @field_validator("database")
    @classmethod
    def _known_database(cls, database: str | None) -> str | None:
        """Its words are in no error: one may be its password."""
        if database is not None:
            kind = _DATABASE.match(database)
            if kind is None:
                raise ValueError("write e.g. sqlite:////srv/crm.db, postgresql://user:password@host/name "
                                 "or mysql://user:password@host/name")
            options = parse_qsl(database.rpartition("@")[2].partition("?")[2], keep_blank_values=True)
            if kind[1] != "sqlite" and not all(
                    name in _OPTIONS and _OPTIONS[name].fullmatch(value) for name, value in options):
                raise ValueError("after ? may come sslmode=verify-full, require or disable, and sslrootcert= "
                                 "with the whole path of a file")
        return database

    @model_validator(mode="after")
    def _one_kind(self) -> "SourceConfig":
        if sum(one is not None for one in (self.url, self.database, self.table)) != 1:
            raise ValueError("give one of them: url, database or table")
        if (self.database is None) != (self.query is None):
            raise ValueError("database and query go together")
        query = (self.query or "select").rstrip("; \n")
        if not _READS.match(query) or ";" in query:
            raise ValueError("query: one SELECT: it is read only")
        return self

    @property
    def only_reads(self) -> bool:
        """Asking twice does no harm."""
        return self.method == "GET"

    @property
    def for_secrets(self) -> bool:
        """A PIN may be sent: it is in no address, which servers and proxies log."""
        return self.url is None or self.method == "POST"

    @property
    def keys(self) -> frozenset[str]:
        """Those that url or query name: it must be asked with them."""
        return frozenset(_NAMED.findall(self.url or "")) | frozenset(_BOUND.findall(self.query or ""))


class SpeechConfig(Part):
    """What speaks the texts of flows: espeak-ng, or a command."""

    command: list[str] = Field(default_factory=list, repr=False)     # text on stdin, WAV on stdout
    voices: dict[Literal["zh", "en"], str] = Field(default_factory=dict)       # {voice} of the command
    cache_mebibytes: Annotated[int, Field(ge=1, le=65536)] = 64
    at_once: Annotated[int, Field(ge=1, le=16)] = 2                  # engines running

    @field_validator("command")
    @classmethod
    def _words(cls, command: list[str]) -> list[str]:
        for word in command:
            if not word or set(_NAMED.findall(word)) - {"voice", "language"}:
                raise ValueError(f"{word!r}: words of a command, with {{voice}} and {{language}} in them")
        return command
