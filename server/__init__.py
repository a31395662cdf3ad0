"""``vserver``: what an operator does with a server, and how its processes are started."""
