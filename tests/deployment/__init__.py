"""The server in containers, as compose/ deploys it."""
