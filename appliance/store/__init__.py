"""What the box keeps on the disk."""

LINES_FILE = "lines.sqlite"                       # of boxd: the histories of the lines
