"""Ways to run an algorithm: in a container, or as a bare process."""
