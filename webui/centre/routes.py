"""All pages of people and queues."""

from webui.centre import calendar_pages, change_pages, common_pages, pages, people_pages, sheet_pages
from webui.centre.blueprint import bp

__all__ = ["bp", "calendar_pages", "change_pages", "common_pages", "pages", "people_pages", "sheet_pages"]
