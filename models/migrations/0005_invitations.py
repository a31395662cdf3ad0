"""Organizations are asked before they are in a collaboration."""

from typing import Any

from peewee import ForeignKeyField, Model

from vantage6.models.fields import IdField, UtcDateTimeField


def up(migrator: Any, db: Any) -> None:
    class Collaboration(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "collaboration"

    class Organization(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "organization"

    class User(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "account"

    class Invitation(Model):
        id = IdField()
        collaboration = ForeignKeyField(Collaboration, on_delete="CASCADE")
        organization = ForeignKeyField(Organization, on_delete="CASCADE")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "invitation"
            indexes = ((("collaboration", "organization"), True),)

    db.create_tables([Invitation])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("invitation"))
