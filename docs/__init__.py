"""The documentation, and the script that generates parts of it."""
