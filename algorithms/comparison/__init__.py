"""Means of groups over organizations: Welch's t-test and one-way analysis of variance."""
