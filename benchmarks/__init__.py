"""How fast the main job is, against what the machine can do."""
