"""All routes of flows' pages, for create_app()."""

from webui.flows import asked
from webui.flows.pages import bp

__all__ = ["asked", "bp"]
