"""Pickles that real versions of numpy and pandas have written, old ones among them."""
