"""All pages of the floor: whoever imports this has their routes on the blueprint."""

from webui.floor import missed, pages, sharing, steering, wall
from webui.floor.blueprint import bp

__all__ = ["bp", "missed", "pages", "sharing", "steering", "wall"]
