"""Debian's own systemd, in a container: the package on a plain machine, its units, users, watchdogs."""
