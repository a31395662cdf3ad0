"""What an algorithm can say to the server through its node."""
