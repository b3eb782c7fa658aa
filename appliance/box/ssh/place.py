"""Where others find what the console keeps."""

PORT_FILE = "console.port"                        # in the run folder: where it listens
AUDIT_FILE = "console-audit.sqlite"               # in the state folder: what people did by it
