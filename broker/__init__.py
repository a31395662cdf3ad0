"""Everything that touches Redis: queues and messages, the transport, rights, presence."""
