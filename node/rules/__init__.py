"""What may run at a station, what may leave it, and the record of both."""
