"""The recipe as types; what is wrong with it is said by file and key."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from images.tools import BuildError

PATH = Path(__file__).with_name("recipe.toml")

Guid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Disk(_Part):
    esp_mib: Annotated[int, Field(ge=34)]         # FAT32 begins there
    slot_mib: Annotated[int, Field(ge=64)]
    data_mib: Annotated[int, Field(ge=64)]


class Squashfs(_Part):
    compression: Literal["gzip", "xz"]
    level: Annotated[int, Field(ge=1, le=9)]      # of gzip
    block_kib: Annotated[int, Field(ge=4, le=1024)]
    limit_mb: Annotated[int, Field(ge=1)]


class Partitions(_Part):
    disk: Guid
    esp: Guid
    a: Guid
    b: Guid
    data: Guid


class Recipe(_Part):
    compatible: str
    suite: str
    kernel: str
    packages: list[str]
    without: list[str]
    without_modules: list[str]
    disk: Disk
    squashfs: Squashfs
    partitions: Partitions


def load(path: Path = PATH) -> Recipe:
    """BuildError: file, key and what is wrong with it."""
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildError(f"{path}: {error}") from None
    except ValidationError as error:
        raise BuildError("\n".join(f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg']}"
                                   for one in error.errors())) from None
