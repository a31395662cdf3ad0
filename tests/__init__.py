"""All tests, one folder per area. `tests.services` starts the real services that they use."""
