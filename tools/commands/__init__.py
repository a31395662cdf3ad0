"""Commands for people who write algorithms; `vantage6` mounts them."""
