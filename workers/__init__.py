"""Celery: what the server does in the background."""
