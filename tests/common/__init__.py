"""Tests of the words and tools that all parts share."""
