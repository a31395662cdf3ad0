"""Tests of the HTTP interface, in process, with real databases and a real Redis."""
