"""/api/v1/live: what goes on, told as it happens, over a WebSocket or as server-sent events."""
