"""One file or family a kind of interface; BACKENDS in e1_driver names their classes."""
