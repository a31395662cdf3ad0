"""Tests of the ready-made algorithms."""
