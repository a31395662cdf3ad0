"""Tests of what the server does in the background, with a real Redis."""
