"""Pearson correlations and principal components over organizations."""
