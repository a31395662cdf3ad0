"""The researcher's commands, by subject. What they need is imported when they run."""
