"""The pages of the box's upkeep: its logs, its disk, the maintenance log, backups."""
