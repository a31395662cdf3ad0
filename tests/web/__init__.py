"""The web pages of a server in a real browser, over a federation of encrypted stations."""
