"""All pages of the box's upkeep, and of days played again."""

from webui.reports import what_if_pages
from webui.system import (
    backup_pages,
    backup_settings,
    console_pages,
    log_pages,
    maintenance_pages,
    restore_pages,
    storage_pages,
)

__all__ = ["PAGES", "backup_settings"]            # the latter's routes are backup_pages'

PAGES = (backup_pages, restore_pages, log_pages, maintenance_pages, storage_pages, console_pages,
         what_if_pages)
