"""Changes of the schema, one file each, with frozen copies of the tables they touch."""
