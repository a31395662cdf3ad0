"""Requests that a person at the station decides: held ones, standing approvals, and the pause."""
