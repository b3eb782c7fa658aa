"""The box's log, line by line, to syslog servers of the NOC."""
