"""The two kombu transports of a node's inbox, and what they share."""
