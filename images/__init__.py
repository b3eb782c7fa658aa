"""The bootable image, its updates, the packages."""
