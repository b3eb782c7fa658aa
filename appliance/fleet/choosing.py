"""Which boxes a command is for: by name, tag, site. Pure."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import ConfigError
from appliance.fleet.inventory import Box, Inventory


@dataclass(frozen=True, slots=True)
class Choice:
    """Of what is named of one kind a box has to be any; of several kinds, each. `all_of`: everything.

    Names may have * and ?. `without` takes away by name or tag.
    """

    names: Sequence[str] = ()
    tags: Sequence[str] = ()
    sites: Sequence[str] = ()
    without: Sequence[str] = ()
    all_of: bool = False


def chosen(inventory: Inventory, choice: Choice) -> list[Box]:
    """In the inventory's order. ConfigError: nothing was named, or a name, tag, site is nobody's."""
    if not (choice.names or choice.tags or choice.sites or choice.all_of):
        raise ConfigError("for which boxes? name them, or give --tag, --site or --all")
    wrong = [f"there is no box {name!r}" for name in choice.names
             if not any(fnmatch.fnmatchcase(box.name, name) for box in inventory.boxes)]
    wrong += [f"no box has the tag {tag!r}" for tag in choice.tags
              if not any(tag in box.tags for box in inventory.boxes)]
    wrong += [f"there is no box at a site {site!r}" for site in choice.sites
              if not any(_at(box, site) for box in inventory.boxes)]
    wrong += [f"--without {word}: is neither a box nor a tag" for word in choice.without
              if not any(_is(box, word) for box in inventory.boxes)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    found = [box for box in inventory.boxes
             if (not choice.names or any(fnmatch.fnmatchcase(box.name, name) for name in choice.names))
             and (not choice.tags or any(tag in box.tags for tag in choice.tags))
             and (not choice.sites or any(_at(box, site) for site in choice.sites))
             and not any(_is(box, word) for word in choice.without)]
    if not found:
        raise ConfigError("no box is all of that")
    return found


def _at(box: Box, site: str) -> bool:
    return box.site is not None and fnmatch.fnmatchcase(box.site, site)


def _is(box: Box, word: str) -> bool:
    return word in box.tags or fnmatch.fnmatchcase(box.name, word)
