"""One result's way through the node: claimed, queued, prepared, run, delivered."""
