"""How fast the main job and the server are, and what they need of the machine."""
