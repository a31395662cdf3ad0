"""Services of others that the API asks."""
