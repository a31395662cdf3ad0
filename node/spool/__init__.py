"""What the node keeps on disk for its results, and how it is removed."""
