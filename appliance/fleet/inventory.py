"""Boxes and sites as types, and as one YAML document that goes in and out."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from appliance.config import enrolment
from appliance.config.part import Part, unique

NAME = r"^[a-z0-9][a-z0-9.-]{0,62}$"
SSH_PORT = 22
MOST_BOXES, MOST_SITES, MOST_TAGS = 10_000, 10_000, 64
MOST_VALUES = 200

Name = Annotated[str, Field(pattern=NAME)]
Values = Annotated[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], Any],
                   Field(max_length=MOST_VALUES)]


def _a_host_key(text: str) -> str:
    if text:
        enrolment.octets(text)
    return " ".join(text.split()[:2])


class Site(Part):
    """A place that has boxes; its values are theirs, too."""

    name: Name
    values: Values = Field(default_factory=dict)


class Box(Part):
    name: Name
    address: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = SSH_PORT
    user: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s:@/]+$")] = "admin"
    site: Name | None = None
    tags: Annotated[list[Name], Field(max_length=MOST_TAGS)] = Field(default_factory=list)
    values: Values = Field(default_factory=dict)  # over those of the site
    host_key: Annotated[str, Field(max_length=4000), AfterValidator(_a_host_key)] = ""
    # The one key that the box may show; "": it is not enrolled, and nobody connects to it.


class Inventory(Part):
    sites: Annotated[list[Site], Field(max_length=MOST_SITES)] = Field(default_factory=list)
    boxes: Annotated[list[Box], Field(max_length=MOST_BOXES)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _whole(self) -> "Inventory":
        wrong: list[str] = []
        unique(wrong, "sites", [site.name for site in self.sites])
        unique(wrong, "boxes", [box.name for box in self.boxes])
        sites = {site.name for site in self.sites}
        wrong += [f"box {box.name}: there is no site {box.site!r}" for box in self.boxes
                  if box.site is not None and box.site not in sites]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def load(path: Path) -> Inventory:
    """ConfigError has a line 'file:line: key: what' for every mistake."""
    from appliance.config.load import read  # with the schema of a box's configuration, half a second
    return read(path, Inventory)


def text(inventory: Inventory) -> str:
    """As load() reads it; what is as usual is left out."""
    import yaml
    return yaml.safe_dump(inventory.model_dump(exclude_defaults=True), allow_unicode=True, sort_keys=False)


def values_of(box: Box, site: Site | None) -> dict[str, Any]:
    """What templates know of a box: its site's values, its own over them, and itself as `box`."""
    return {**(site.values if site else {}), **box.values,
            "box": {"name": box.name, "address": box.address, "site": box.site or "", "tags": list(box.tags)}}
