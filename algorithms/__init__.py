"""Algorithms that are ready to run at nodes, each a package with its image and its manual."""
