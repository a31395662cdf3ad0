"""The documentation is complete, true and can be built."""
