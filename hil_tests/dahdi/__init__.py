"""Real DAHDI without a card: Debian's kernel and modules in QEMU, our driver on cross-connected spans."""
