"""Where a daemon finds its password for the bus. Without the client, whose library takes long to read."""

from pathlib import Path


def credentials_file(run_dir: Path, daemon: str) -> Path:
    """JSON {"url", "user", "password"}, mode 0600, written by whoever starts the server."""
    return run_dir / "bus" / f"{daemon}.json"
