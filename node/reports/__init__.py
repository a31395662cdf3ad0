"""What commands and the console tell people about a node, in one form for both."""
