"""The state of the server: tables, the verbs on them, and migrations."""
