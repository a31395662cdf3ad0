"""The commands of ``vserver`` that work on a database, with both kinds of it."""
