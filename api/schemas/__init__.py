"""The JSON that travels between client, node and server, as pydantic models."""
