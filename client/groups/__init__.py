"""The commands of the client, one group per noun."""
