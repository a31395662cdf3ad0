"""A whole federation, driven through the client only."""
