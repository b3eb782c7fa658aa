"""The bundle for who helps from afar: what the box says of itself, without secrets, bounded, checkable."""
