"""The box as it came from the factory: a wish that is kept, and the boot that fulfils it."""
