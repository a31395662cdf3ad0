"""The published client of 3.11.1 against this server, as its users have it on their machines."""
