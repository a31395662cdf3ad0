"""Published statistics, computed again over a real federation: ``vantage6 validate``."""
