"""What the server's documents look like, for those who let mypy read their scripts.

The methods of the client return plain dictionaries and lists, whose keys depend on ``fields=`` and
the like, so that they are typed as Any. To have the keys checked, name the type:

>>> task: Task = client.task.create(...)
>>> results: list[Result] = client.result.from_task(task["id"])

A refusal of the server has ``msg`` and ``code`` instead, unless the client was made with
``raise_errors=True``.
"""

from typing import Any, TypedDict


class Link(TypedDict):
    """Another document, by its id."""

    id: int
    link: str
    methods: list[str]


class Reason(TypedDict):
    """Why a result is in its state."""

    code: str
    msg: str


class Task(TypedDict):
    """A task; its ``status`` is a word of `vantage6.common.task_status.TaskStatus`."""

    id: int
    run_id: int
    name: str | None
    description: str | None
    image: str | None
    database: str | None
    initiator: int | None
    init_user: int | None
    collaboration: Link | None
    parent: Link | None
    children: list[Link] | None
    #: ISO 8601, in UTC; of all times.
    created_at: str | None
    finished_at: str | None
    #: Whether all its results are in, whatever their status.
    complete: bool
    status: str
    #: Links; with ``include_results=True`` the results, as they travel.
    results: list[Any]


class Result(TypedDict):
    """What one organization answered to a task."""

    id: int
    #: Decrypted bytes, or the text of somebody else's input.
    input: bytes | str | None
    #: What the algorithm returned; bytes where it could not be decoded.
    result: Any
    log: str | None
    status: str
    reason: Reason | None
    assigned_at: str | None
    started_at: str | None
    finished_at: str | None
    organization: Link
    #: A link; with ``include_task=True`` the task.
    task: Any
    node: dict[str, Any]
    ports: list[dict[str, Any]]


class Organization(TypedDict):
    """An organization."""

    id: int
    name: str
    domain: str | None
    address1: str | None
    address2: str | None
    zipcode: str | None
    country: str | None
    #: Base64 of the PEM; empty where there is none.
    public_key: str
    collaborations: list[Link] | None
    nodes: list[Link] | None
    users: list[Link] | None
    results: list[Link] | None
    #: Ids.
    roles: list[int]


class Collaboration(TypedDict):
    """Organizations that agreed to analyse data together."""

    id: int
    name: str
    encrypted: bool
    organizations: list[Link]
    nodes: list[Link] | None
    tasks: list[Link] | None


class Node(TypedDict):
    """The data station of an organization in a collaboration."""

    id: int
    name: str | None
    type: str
    #: ``online`` or ``offline``.
    status: str | None
    last_seen: str | None
    ip: str | None
    config: list[dict[str, Any]]
    organization: Link
    collaboration: Link | None
