"""Survival over organizations: Kaplan-Meier curves, log-rank tests, Cox's model."""
