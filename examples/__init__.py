"""What the system can do, to run and to read."""
