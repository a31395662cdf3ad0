"""The base of all tables."""

from peewee import Model

from vantage6.models.database import db


class Table(Model):
    """A table of the server's database."""

    class Meta:
        """Bound to the database that `vantage6.models.database.bind` was given."""

        database = db
        legacy_table_names = False
