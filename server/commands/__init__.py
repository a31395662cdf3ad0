"""The operator's commands, one module each. What they need is imported when they run."""
