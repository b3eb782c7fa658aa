"""The shipped image in QEMU: the box as installers and the NOC get it, held only from outside."""
