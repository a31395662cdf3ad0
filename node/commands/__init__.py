"""The administrator's commands, by subject. What they need is imported when they run."""
