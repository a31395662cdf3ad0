"""The examples run as printed, and the notebook shows what it shows in the repository."""
