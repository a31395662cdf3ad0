"""What the server hands to a node together with a result: the work order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from vantage6.common.disclosure.parties import parties_from_json
from vantage6.common.errors import Invalid

#: The database of a task that names none.
DEFAULT_DATABASE = "default"


#: More tasks that follow from each other than any server allows.
_MOST_LEVELS = 64
#: How the name of the folder of a result begins, at the node and in its container.
FOLDER_PREFIX = "task-"


@dataclass(frozen=True, slots=True)
class Requester:
    """In whose name a task was sent. None is what is not known, or does not exist."""

    organization_id: int | None = None
    organization: str | None = None
    user_id: int | None = None
    user: str | None = None
    task_id: int | None = None
    #: The image of that task.
    image: str | None = None

    @classmethod
    def from_wire(cls, said: Mapping[str, Any]) -> Self:
        """Read one item of what the server says."""
        return cls(
            organization_id=int(said["organization"]),
            organization=said.get("organization_name"),
            user_id=None if said.get("user") is None else int(said["user"]),
            user=said.get("user_name"),
            task_id=int(said["task"]),
            image=None if said.get("image") is None else str(said["image"]),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """One result that this node has promised to compute."""

    result_id: int
    task_id: int
    collaboration_id: int
    #: Number that a task shares with its sub-tasks; they share a temporary folder.
    run_id: int
    image: str
    #: Label of the requested data source.
    database: str
    #: Organization that receives the output.
    initiator: int
    initiator_public_key: str
    #: Its name, for the rules and the audit of the station.
    initiator_name: str | None
    init_user: int | None
    init_username: str | None
    is_subtask: bool
    #: Input as it travelled: encrypted for this organization, or base64.
    sealed_input: str = field(repr=False)
    #: What the algorithm identifies itself with at the node's proxy.
    token: str = field(repr=False)
    #: The request that created the result, for the log.
    request_id: str | None = None
    #: In whose names the tasks above were sent, the first one first; None if the server does not
    #: say.
    above: tuple[Requester, ...] | None = ()
    #: The organizations that are asked by the same task; None if the server does not say.
    parties: tuple[int, ...] | None = None

    @property
    def level(self) -> int | None:
        """How many tasks are above; None for a sub-task of which the server does not say it."""
        return (
            None if self.above is None or (self.is_subtask and not self.above) else len(self.above)
        )

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any], request_id: str | None = None) -> Self:
        """Read the server's answer to a claim.

        Parameters
        ----------
        answer
            The answer.
        request_id
            The request that created the result, if the message told.

        Raises
        ------
        Invalid
            If the answer is not what the contract says.
        """
        try:
            task = answer["task"]
            return cls(
                result_id=int(answer["id"]),
                task_id=int(task["id"]),
                collaboration_id=int(task["collaboration"]["id"]),
                run_id=int(task["run_id"]),
                image=str(task["image"]),
                database=task.get("database") or DEFAULT_DATABASE,
                initiator=int(task["initiator"]),
                initiator_public_key=answer.get("initiator_public_key") or "",
                initiator_name=task.get("initiator_name"),
                init_user=None if task.get("init_user") is None else int(task["init_user"]),
                init_username=task.get("init_username"),
                is_subtask=task.get("parent") is not None,
                sealed_input=answer.get("input") or "",
                token=str(answer["container_token"]),
                request_id=request_id,
                above=_above(task),
                parties=_parties(task),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"The server's answer to a claim lacks or garbles {error}.") from error


def _parties(task: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the organizations that a task asks, each once, or None if the server does not say.

    Raises
    ------
    ValueError
        If they are no ids.
    """
    said = task.get("organizations")
    return None if said is None else parties_from_json({"organizations": said})


def folder_name(result_id: int) -> str:
    """Return the name of a result's folder, for example ``task-000000005``."""
    return f"{FOLDER_PREFIX}{result_id:09d}"


def _above(task: Mapping[str, Any]) -> tuple[Requester, ...] | None:
    """Return who asked for the tasks above one, or None if the server does not say.

    Raises
    ------
    ValueError
        If what it says does not end with the task itself.
    """
    said = task.get("requesters")
    if said is None:
        return None if task.get("parent") is not None else ()
    chain = [Requester.from_wire(one) for one in said[: _MOST_LEVELS + 1]]
    own = (int(task["id"]), int(task["initiator"]))
    # SECURITY: a sub-task always has a task above it, and the chain leads to this very task.
    if (
        not 1 <= len(chain) <= _MOST_LEVELS
        or (chain[-1].task_id, chain[-1].organization_id) != own
        or (task.get("parent") is not None and len(chain) < 2)
    ):
        raise ValueError("requesters")
    return tuple(chain[:-1])
