"""Function cards: what the functions of an image take and share."""

from peewee import CharField, ForeignKeyField, TextField
from playhouse.fields import EnumField

from vantage6.common.enums import CardState
from vantage6.models.fields import IdField, UtcDateTimeField
from vantage6.models.tables.base import Table
from vantage6.models.tables.organization import Collaboration, Organization
from vantage6.models.tables.user import User


class Algorithm(Table):
    """A function card on the shelf. Its document lies in `AlgorithmCard`."""

    id = IdField()
    name = CharField()
    version = CharField()
    title = TextField(default="")
    #: Names of the functions, as a JSON list.
    functions = TextField(default="[]")
    state = EnumField(CardState, max_length=16, default=CardState.DRAFT)
    #: Why it was retired.
    reason = TextField(null=True)
    #: SHA-256 of the document, in hex.
    sha256 = CharField(max_length=64)
    #: None: for all collaborations.
    collaboration = ForeignKeyField(
        Collaboration, null=True, backref="algorithms", on_delete="CASCADE"
    )
    collaboration_id: int | None
    #: The user that wrote the document as it is, and the organization of that user.
    organization = ForeignKeyField(
        Organization, null=True, backref="algorithms", on_delete="SET NULL"
    )
    organization_id: int | None
    user = ForeignKeyField(User, null=True, backref="algorithms", on_delete="SET NULL")
    user_id: int | None
    created_at = UtcDateTimeField()
    changed_at = UtcDateTimeField()


class AlgorithmCard(Table):
    """The document of a card, apart, so that lists never touch it."""

    algorithm = ForeignKeyField(Algorithm, primary_key=True, backref="cards", on_delete="CASCADE")
    algorithm_id: int
    #: JSON.
    content = TextField()


class AlgorithmImage(Table):
    """A reference under which the image of a card is published."""

    id = IdField()
    algorithm = ForeignKeyField(Algorithm, backref="images", on_delete="CASCADE")
    algorithm_id: int
    #: Without a digest.
    reference = CharField(index=True)
    #: ``sha256:...``, where the card names one.
    digest = CharField(null=True)


class AlgorithmReview(Table):
    """A user has read the document of a card; gone once the document changes."""

    id = IdField()
    algorithm = ForeignKeyField(Algorithm, backref="reviews", on_delete="CASCADE")
    algorithm_id: int
    user = ForeignKeyField(User, null=True, backref="algorithm_reviews", on_delete="SET NULL")
    user_id: int | None
    organization = ForeignKeyField(
        Organization, null=True, backref="algorithm_reviews", on_delete="SET NULL"
    )
    organization_id: int | None
    #: SHA-256 of the document that was read, in hex.
    sha256 = CharField(max_length=64)
    note = TextField(default="")
    reviewed_at = UtcDateTimeField()

    class Meta:
        """A user reviews a card once; again replaces it."""

        indexes = ((("algorithm", "user"), True),)
