"""The measures as Prometheus reads them. webui has the door, with a token: boxd opens no port for it."""
