"""The first tables."""

from typing import Any

from peewee import (
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from vantage6.models.fields import IdField, UtcDateTimeField


def up(migrator: Any, db: Any) -> None:
    class Collaboration(Model):
        id = IdField()
        name = CharField(unique=True)
        encrypted = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "collaboration"

    db.create_tables([Collaboration])

    class Organization(Model):
        id = IdField()
        name = CharField(index=True, default="")
        domain = CharField(null=True)
        address1 = CharField(null=True)
        address2 = CharField(null=True)
        zipcode = CharField(null=True)
        country = CharField(null=True)
        public_key = TextField(default="")

        class Meta:
            database = db
            table_name = "organization"

    db.create_tables([Organization])

    class Membership(Model):
        organization = ForeignKeyField(Organization, on_delete="CASCADE")
        collaboration = ForeignKeyField(Collaboration, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "membership"
            primary_key = CompositeKey("organization", "collaboration")

    db.create_tables([Membership])

    class Node(Model):
        id = IdField()
        name = CharField(null=True)
        api_key = CharField(unique=True, null=True, max_length=64)
        organization = ForeignKeyField(Organization, on_delete="RESTRICT")
        collaboration = ForeignKeyField(Collaboration, null=True, on_delete="SET NULL")
        ip = CharField(null=True)
        last_seen = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "node"
            indexes = ((("organization", "collaboration"), True),)

    db.create_tables([Node])

    class Outbox(Model):
        id = IdField()
        topic = CharField(max_length=32)
        content = TextField()
        attempts = IntegerField(default=0)
        available_at = UtcDateTimeField(index=True)
        error = TextField(null=True)

        class Meta:
            database = db
            table_name = "outbox"

    db.create_tables([Outbox])

    class Run(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "run"

    db.create_tables([Run])

    class User(Model):
        id = IdField()
        username = CharField(unique=True)
        password = TextField()
        firstname = CharField(null=True)
        lastname = CharField(null=True)
        email = CharField(unique=True, null=True)
        organization = ForeignKeyField(Organization, null=True, on_delete="RESTRICT")
        failed_login_attempts = IntegerField(default=0)
        last_failed_login_at = UtcDateTimeField(null=True)
        last_seen = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "account"

    db.create_tables([User])

    class Task(Model):
        id = IdField()
        name = TextField(default="")
        description = TextField(default="")
        image = TextField(default="")
        database = TextField(null=True)
        collaboration = ForeignKeyField(Collaboration, on_delete="CASCADE")
        run = ForeignKeyField(Run, on_delete="RESTRICT")
        parent = ForeignKeyField("self", null=True, on_delete="SET NULL")
        initiator = ForeignKeyField(Organization, on_delete="RESTRICT")
        init_user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "task"

    db.create_tables([Task])

    class Result(Model):
        id = IdField()
        task = ForeignKeyField(Task, on_delete="CASCADE")
        organization = ForeignKeyField(Organization, on_delete="RESTRICT")
        status = CharField(max_length=32, default="pending")
        reason_code = CharField(null=True, max_length=64)
        reason = TextField(null=True)
        attempt = IntegerField(default=0)
        lease_until = UtcDateTimeField(index=True, null=True)
        assigned_at = UtcDateTimeField()
        started_at = UtcDateTimeField(null=True)
        finished_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "result"
            indexes = ((("task", "organization"), True), (("organization", "finished_at"), False))

    db.create_tables([Result])

    class Payload(Model):
        result = ForeignKeyField(Result, on_delete="CASCADE")
        kind = CharField(max_length=8)
        content = TextField()

        class Meta:
            database = db
            table_name = "payload"
            primary_key = CompositeKey("result", "kind")

    db.create_tables([Payload])

    class Role(Model):
        id = IdField()
        name = CharField(index=True)
        description = TextField(default="")
        organization = ForeignKeyField(Organization, null=True, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "role"

    db.create_tables([Role])

    class Rule(Model):
        id = IdField()
        name = CharField(max_length=32)
        operation = CharField(max_length=16)
        scope = CharField(max_length=16)
        description = CharField()

        class Meta:
            database = db
            table_name = "rule"
            indexes = ((("name", "operation", "scope"), True),)

    db.create_tables([Rule])

    class RoleRule(Model):
        role = ForeignKeyField(Role, on_delete="CASCADE")
        rule = ForeignKeyField(Rule, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "role_rule"
            primary_key = CompositeKey("role", "rule")

    db.create_tables([RoleRule])

    class UserRole(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        role = ForeignKeyField(Role, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "user_role"
            primary_key = CompositeKey("user", "role")

    db.create_tables([UserRole])

    class UserRule(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        rule = ForeignKeyField(Rule, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "user_rule"
            primary_key = CompositeKey("user", "rule")

    db.create_tables([UserRule])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("user_rule"))
    migrator.migrate(migrator.drop_table("user_role"))
    migrator.migrate(migrator.drop_table("role_rule"))
    migrator.migrate(migrator.drop_table("rule"))
    migrator.migrate(migrator.drop_table("role"))
    migrator.migrate(migrator.drop_table("payload"))
    migrator.migrate(migrator.drop_table("result"))
    migrator.migrate(migrator.drop_table("task"))
    migrator.migrate(migrator.drop_table("account"))
    migrator.migrate(migrator.drop_table("run"))
    migrator.migrate(migrator.drop_table("outbox"))
    migrator.migrate(migrator.drop_table("node"))
    migrator.migrate(migrator.drop_table("membership"))
    migrator.migrate(migrator.drop_table("organization"))
    migrator.migrate(migrator.drop_table("collaboration"))
