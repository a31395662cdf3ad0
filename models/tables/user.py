"""People who may log in, and what they may do."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from peewee import CharField, CompositeKey, ForeignKeyField, IntegerField, TextField

from vantage6.models.fields import IdField, UtcDateTimeField
from vantage6.models.tables.base import Table
from vantage6.models.tables.organization import Collaboration, Organization
from vantage6.models.tables.role import Role, Rule


class User(Table):
    """A researcher or an administrator."""

    id = IdField()
    username = CharField(unique=True)
    #: What no other name that looks like it has. Where several did before this was kept, the oldest
    #: account has it.
    username_key = CharField(null=True, unique=True)
    #: argon2 hash.
    password = TextField()
    firstname = CharField(null=True)
    lastname = CharField(null=True)
    email = CharField(null=True, unique=True)
    #: Until then mails that open the account go to the address of before; None if there was none.
    email_held_until = UtcDateTimeField(null=True)
    former_email = CharField(null=True, index=True)
    organization = ForeignKeyField(Organization, null=True, backref="users", on_delete="RESTRICT")
    organization_id: int | None
    failed_login_attempts = IntegerField(default=0)
    last_failed_login_at = UtcDateTimeField(null=True)
    last_seen = UtcDateTimeField(null=True)
    #: Tokens that were signed before are void; set when somebody else may hold some.
    tokens_valid_from = UtcDateTimeField(null=True)
    #: Base32 secret of the second factor, as `vantage6.models.seals` seals it.
    otp_secret = TextField(null=True, column_name="otp_sealed")
    #: The time step whose code was used last, which no code may repeat; without one, no code was
    #: right yet and the secret is not confirmed.
    otp_last_step = IntegerField(null=True)

    class Meta:
        """`user` is a reserved word of SQL."""

        table_name = "account"

    def save(self, force_insert: bool = False, only: Iterable[Any] | None = None) -> Any:
        """Write the row, and with another name what tells that it is like others."""
        if User.username in self.dirty_fields:
            self.username_key = key_of(self.username)
            only = only and [*only, User.username_key]
        return super().save(force_insert, only)


def key_of(username: str) -> str:
    """Return what the usernames have in common that people take for this one.

    They differ in case, in the form of characters, and in what is not seen: spaces and characters
    without a sign. Letters of different scripts are different ones.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "CZ")[:255]


class RecoveryToken(Table):
    """A token that was mailed to a user who lost a password or a second factor."""

    id = IdField()
    user = ForeignKeyField(User, backref="recovery_tokens", on_delete="CASCADE")
    user_id: int
    #: ``password`` or ``two_factor``.
    purpose = CharField(max_length=16)
    #: SHA-256 in hex. The tokens are random, so a fast hash is enough and can be looked up.
    token = CharField(max_length=64, unique=True)
    expires_at = UtcDateTimeField()


class Invitation(Table):
    """A collaboration asks an organization to join; gone once it is answered or taken back."""

    id = IdField()
    collaboration = ForeignKeyField(Collaboration, backref="invitations", on_delete="CASCADE")
    collaboration_id: int
    organization = ForeignKeyField(Organization, backref="invitations", on_delete="CASCADE")
    organization_id: int
    #: Who asked; unknown once that account is removed.
    user = ForeignKeyField(User, null=True, backref="invitations", on_delete="SET NULL")
    user_id: int | None
    created_at = UtcDateTimeField()

    class Meta:
        """An organization is asked once at a time."""

        indexes = ((("collaboration", "organization"), True),)


class RecoveryCode(Table):
    """What stands in once for the code of a lost authenticator app."""

    id = IdField()
    user = ForeignKeyField(User, backref="recovery_codes", on_delete="CASCADE")
    user_id: int
    #: SHA-256 in hex. The codes are random and long enough, so a fast hash will do.
    code = CharField(max_length=64)


class UserRole(Table):
    """A user has a role."""

    user = ForeignKeyField(User, backref="user_roles", on_delete="CASCADE")
    role = ForeignKeyField(Role, backref="user_roles", on_delete="CASCADE")

    class Meta:
        """Each pair once."""

        primary_key = CompositeKey("user", "role")


class UserRule(Table):
    """A user has a rule beside those of the roles."""

    user = ForeignKeyField(User, backref="user_rules", on_delete="CASCADE")
    rule = ForeignKeyField(Rule, backref="user_rules", on_delete="CASCADE")

    class Meta:
        """Each pair once."""

        primary_key = CompositeKey("user", "rule")
