"""Tests of the state of the server, on both databases."""
