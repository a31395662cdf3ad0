"""What attacks on this system have found, and what others found in vantage6."""
