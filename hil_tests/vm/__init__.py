"""Small virtual machines: Debian's kernel, a memory file system with our code, QEMU."""
