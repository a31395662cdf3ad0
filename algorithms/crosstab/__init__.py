"""Tables of two categorical columns over organizations, with tests of independence."""
