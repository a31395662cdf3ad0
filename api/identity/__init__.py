"""Who is asking, how that is proved, and what the caller may do."""
