"""One file per noun: permission, then store, then reply."""
