"""``vserver import``: organizations, users, collaborations and tasks from one file."""
