"""Function cards have a shelf, and the default roles their rules."""

from typing import Any

from peewee import CharField, CompositeKey, ForeignKeyField, Model, TextField

from vantage6.models.fields import IdField, UtcDateTimeField

#: Operation, scope and description of each rule.
_RULES = (
    ("VIEW", "GLOBAL", "See every function card"),
    (
        "VIEW",
        "ORGANIZATION",
        "See function cards for all, and those of collaborations your organization is in",
    ),
    ("CREATE", "GLOBAL", "Add function cards for any collaboration, and for all"),
    (
        "CREATE",
        "ORGANIZATION",
        "Add function cards for collaborations your organization is in",
    ),
    ("EDIT", "GLOBAL", "Change, review and retire any function card"),
    (
        "EDIT",
        "ORGANIZATION",
        "Change, review and retire function cards of collaborations your organization is in",
    ),
    ("EDIT", "OWN", "Change your own function cards that are drafts"),
    ("DELETE", "GLOBAL", "Remove any function card"),
    (
        "DELETE",
        "ORGANIZATION",
        "Remove function cards of collaborations your organization is in",
    ),
    ("DELETE", "OWN", "Remove your own function cards that are drafts"),
)
_VIEWER = (("VIEW", "ORGANIZATION"),)
_RESEARCHER = (*_VIEWER, ("CREATE", "ORGANIZATION"), ("EDIT", "OWN"), ("DELETE", "OWN"))
_ORGANIZATION_ADMIN = (*_RESEARCHER, ("EDIT", "ORGANIZATION"))
#: What each default role gets; a start completes the others.
_ROLES = {
    "Root": tuple(rule[:2] for rule in _RULES),
    "Viewer": _VIEWER,
    "Researcher": _RESEARCHER,
    "Organization Admin": _ORGANIZATION_ADMIN,
    "Collaboration Admin": (*_ORGANIZATION_ADMIN, ("DELETE", "ORGANIZATION")),
}
_RESOURCE = "algorithm"


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

    class Algorithm(Model):
        id = IdField()
        name = CharField()
        version = CharField()
        title = TextField()
        functions = TextField()
        state = CharField(max_length=16)
        reason = TextField(null=True)
        sha256 = CharField(max_length=64)
        collaboration = ForeignKeyField(Collaboration, null=True, on_delete="CASCADE")
        organization = ForeignKeyField(Organization, null=True, on_delete="SET NULL")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        created_at = UtcDateTimeField()
        changed_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "algorithm"

    class AlgorithmCard(Model):
        algorithm = ForeignKeyField(Algorithm, primary_key=True, on_delete="CASCADE")
        content = TextField()

        class Meta:
            database = db
            table_name = "algorithm_card"

    class AlgorithmImage(Model):
        id = IdField()
        algorithm = ForeignKeyField(Algorithm, on_delete="CASCADE")
        reference = CharField(index=True)
        digest = CharField(null=True)

        class Meta:
            database = db
            table_name = "algorithm_image"

    class AlgorithmReview(Model):
        id = IdField()
        algorithm = ForeignKeyField(Algorithm, on_delete="CASCADE")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        organization = ForeignKeyField(Organization, null=True, on_delete="SET NULL")
        sha256 = CharField(max_length=64)
        note = TextField()
        reviewed_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "algorithm_review"
            indexes = ((("algorithm", "user"), True),)

    db.create_tables([Algorithm, AlgorithmCard, AlgorithmImage, AlgorithmReview])
    _grant(db)


def _grant(db: Any) -> None:
    """Write the rules and put them into the default roles; roles of organizations stay."""

    class Rule(Model):
        id = IdField()
        name = CharField(max_length=32)
        operation = CharField(max_length=16)
        scope = CharField(max_length=16)
        description = CharField()

        class Meta:
            database = db
            table_name = "rule"

    class Role(Model):
        id = IdField()
        name = CharField()
        organization_id: Any

        class Meta:
            database = db
            table_name = "role"

    class RoleRule(Model):
        role = ForeignKeyField(Role)
        rule = ForeignKeyField(Rule)

        class Meta:
            database = db
            table_name = "role_rule"
            primary_key = CompositeKey("role", "rule")

    # The first start writes the rules of a new database, under the ids that scripts know.
    if not Rule.select().exists():
        return
    for operation, scope, description in _RULES:
        Rule.insert(
            name=_RESOURCE, operation=operation, scope=scope, description=description
        ).on_conflict_ignore().execute()
    rules = {
        (row.operation, row.scope): row.id for row in Rule.select().where(Rule.name == _RESOURCE)
    }
    roles = db.execute_sql("SELECT id, name FROM role WHERE organization_id IS NULL").fetchall()
    pairs = [
        {"role": id_, "rule": rules[grant]} for id_, name in roles for grant in _ROLES.get(name, ())
    ]
    if pairs:
        RoleRule.insert_many(pairs).on_conflict_ignore().execute()


def down(migrator: Any, db: Any) -> None:
    # By name: SQLite does not follow foreign keys while a migration runs.
    for statement in (
        "DELETE FROM role_rule WHERE rule_id IN (SELECT id FROM rule WHERE name = 'algorithm')",
        "DELETE FROM user_rule WHERE rule_id IN (SELECT id FROM rule WHERE name = 'algorithm')",
        "DELETE FROM rule WHERE name = 'algorithm'",
    ):
        db.execute_sql(statement)
    migrator.migrate(
        migrator.drop_table("algorithm_review"),
        migrator.drop_table("algorithm_image"),
        migrator.drop_table("algorithm_card"),
        migrator.drop_table("algorithm"),
    )
