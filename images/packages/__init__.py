"""Debian packages: what `make deb` gives for a plain Debian 12 machine, and what the image is made of."""
