"""The rules of a station, as they are written down."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from vantage6.common import addresses
from vantage6.common.config.approvals import Approval, ApprovalConfig
from vantage6.common.config.base import Section
from vantage6.common.config.expressions import Expression, Expressions, Texts
from vantage6.common.config.floors import FloorsConfig, of_preset
from vantage6.common.config.release import ReleaseConfig, of_mode


def _registries(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(addresses.registry, texts))


class PolicyConfig(Section):
    """What may run here. Once this section is written, an image that it does not name is refused.

    An entry for images is a regular expression that the whole reference has to match, or one for
    the name followed by ``@sha256:`` and a digest, or a digest alone.
    """

    allowed_algorithms: Expressions = Field(
        (), description="images, as regular expressions or by digest; none: no image at all"
    )
    allowed_users: Texts = Field(
        (), description="ids of users, or names, which change hands; default: any"
    )
    allowed_organizations: Texts = Field(
        (), description="ids or names of organizations; default: any"
    )
    registries: Annotated[Texts, AfterValidator(_registries)] | None = Field(
        None,
        description="hosts that images may be pulled from, with the port if there is one; "
        "`docker.io` is Docker Hub. Default: the hosts with which the expressions for images "
        "begin. An expression without a host stands for Docker Hub",
    )
    databases: dict[str, Expressions] | None = Field(
        None,
        description="label of a database to the images that may read it; no image may read a "
        "label that is left out. Default: every allowed image may read every database",
    )
    services: dict[str, Expressions] | None = Field(
        None,
        description="`whitelist`, `vpn`, or the name of a tunnel or of a linked service, to the "
        "images that may reach it. Without this key, every allowed image may reach `whitelist` "
        "and `vpn`. An image that may read a database behind a tunnel or a linked service may "
        "always reach that",
    )
    max_input_bytes: int | None = Field(None, ge=0, description="largest input; default: any")
    allow_pickle: bool = Field(
        False,
        description="let payloads into algorithms that are not JSON: inputs, and results of "
        "sub-tasks. Python images unpickle them, and a pickle can run any code in the container. "
        "Images of other languages with a format of their own need it as well",
    )
    max_output_bytes: int | None = Field(
        None,
        ge=0,
        description="largest output that leaves; default: `limits.file_bytes`. The inputs of a "
        "sub-task leave as well, and are together held to it; default for them: "
        "`limits.request_bytes`",
    )
    functions: dict[Expression, Expressions] | None = Field(
        None,
        description="image, as in `allowed_algorithms`, to the names of its functions that may be "
        "asked for, partial ones included, as regular expressions. An image that is left out has "
        "none. Default: every function",
    )
    direct_partials: Expressions = Field(
        (),
        description="images whose partial functions may be asked for directly. Default: a function "
        "that the card of an image does not call central is for sub-tasks of the same image",
    )
    floors: Annotated[FloorsConfig, BeforeValidator(of_preset)] = Field(
        FloorsConfig(),
        description="how little may stand behind a number that leaves: the name of a preset, or a "
        "preset with values that differ. Algorithms read it from the file that `FLOORS_FILE` names",
    )
    person_column: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="the column that names the person of a record, in each database that has it. "
        "The floors count people then, and no records, where the node reads the database",
    )
    approval: Approval = Field(
        ApprovalConfig(),
        description="whether a person at the station looks at requests before their images are "
        "fetched, with `vnode requests`. `always`: at each one that no grant covers. `first_use`: "
        "until a like one of the same organization was approved. `never`: the rules decide alone. "
        "One of these words, or `default` and `rules`",
    )
    hold_seconds: float = Field(
        14 * 86_400,
        gt=0,
        le=366 * 86_400,
        description="time for which a request or an output waits for its answer; then it is "
        "refused",
    )
    four_eyes: bool = Field(
        False,
        description="two different people have to approve a request or a grant. The user that "
        "asks is none of them",
    )
    release: Annotated[ReleaseConfig, BeforeValidator(of_mode)] = Field(
        ReleaseConfig(),
        description="what the station does with outputs that look like the data: `enforce`, "
        "`warn`, or the settings below",
    )

    @property
    def databases_named(self) -> dict[str, set[str]]:
        """The labels of databases that rules name, by the key of the rule."""
        asked = {rule.database for rule in self.approval.rules if rule.database is not None}
        return {"databases": set(self.databases or ()), "approval": asked}
