"""What the box keeps on the disk."""

LINES_FILE = "lines.sqlite"                       # of boxd: the histories of the lines
TRACES_FILE = "traces.sqlite"                     # of trunkd: what calls said on their D-channels
LOGS_FOLDER, LOGS_FILE = "logs", "programs.log"   # of the launcher: what its programs say
