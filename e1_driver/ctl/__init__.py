"""The e1ctl command: any line, read and tested from a terminal. docs/line.md explains it to installers."""
