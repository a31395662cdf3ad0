"""The HTTP interface of the server, and `vserver`."""
