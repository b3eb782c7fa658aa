"""What the box keeps on the disk."""

EVENTS_FILE = "acd.sqlite"                        # of acdd: the log of events and what comes of it
LINES_FILE = "lines.sqlite"                       # of boxd: the histories of the lines
TRACES_FILE = "traces.sqlite"                     # of trunkd: what calls said on their D-channels
LOGS_FOLDER, LOGS_FILE = "logs", "programs.log"   # of the launcher: what its programs say
