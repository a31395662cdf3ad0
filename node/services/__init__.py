"""What a node lets algorithms reach besides their database; each service is off by default."""
