"""The user documentation that this system is built after, run as it is written."""
