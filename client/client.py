"""The client of a researcher or an administrator."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

from vantage6.client import causes, waiting
from vantage6.client.base import ClientBase, set_up_log
from vantage6.client.card_checks import CardChecks
from vantage6.client.groups import (
    algorithms,
    collaborations,
    keys,
    nodes,
    organizations,
    results,
    roles,
    rules,
    tasks,
    users,
    util,
)
from vantage6.client.login import Tokens, TokenStore
from vantage6.client.result_reader import ResultReader
from vantage6.client.sealing import Sealer
from vantage6.client.session import Document
from vantage6.common.cli import console
from vantage6.common.encryption import DummyCryptor, RSACryptor, read_public_key
from vantage6.common.errors import (
    Conflict,
    Forbidden,
    Unauthenticated,
)
from vantage6.common.identity import WhoAmI
from vantage6.common.serialization import LEGACY
from vantage6.common.token_claims import claims


class UserClient(ClientBase):
    """What a person can do at a server, in groups of commands per kind of thing.

    Parameters
    ----------
    host
        Address with scheme, such as ``https://v6.example.org``.
    port
        Left out of the address when empty.
    path
        Prefix of the API at the server; may be empty.
    verbose
        Write to standard error what is asked of the server, and show with an error what led to it.
    log_level
        Lowest level that is logged, to the logger ``vantage6.client``, when not verbose.
    allow_pickle
        Decode results that are Python pickles of arrays and frames too, as old algorithms send.
        They are read as data, and nothing of them runs. Pickles of plain values are always read.
    raise_errors
        Raise typed errors when the server refuses something, instead of returning ``{"msg": ...}``.
    organization_keys
        Fingerprints of public keys by id of the organization, as the organizations themselves
        tell them. Without one, the key that is met first is remembered.
    known_keys_file
        Where keys are remembered; ``known_organizations.json`` in your configuration folder when
        absent, or what ``V6_KNOWN_ORGANIZATIONS`` names.

    Examples
    --------
    >>> client = Client("https://v6.example.org", 443, "/api")
    >>> client.authenticate("frodo", "a password")
    >>> client.setup_encryption("/path/to/private/key")
    >>> task = client.task.create(...)
    >>> client.wait_for_results(task["id"], timeout=3600)
    >>> client.result.from_task(task["id"])
    >>> client.task.list(all_pages=True, fields=["id", "name", "status"])
    """

    Util = util.Util
    Collaboration = collaborations.Collaboration
    Organization = organizations.Organization
    User = users.User
    Result = results.Result
    Task = tasks.Task
    Role = roles.Role
    Node = nodes.Node
    Rule = rules.Rule
    Algorithm = algorithms.Algorithm
    Keys = keys.Keys

    def __init__(
        self,
        host: str,
        port: int | str | None = None,
        path: str = "/api",
        verbose: bool = False,
        log_level: str = "warning",
        *,
        allow_pickle: bool = False,
        raise_errors: bool = False,
        organization_keys: Mapping[int, str] | None = None,
        known_keys_file: str | Path | None = None,
    ) -> None:
        super().__init__(host, port, path, raise_errors=raise_errors, verbose=verbose)
        set_up_log(verbose, log_level)
        self.reader = ResultReader(lambda: self.cryptor, allow_pickle=allow_pickle)
        self.sealer = Sealer(self)
        self.card_checks = CardChecks(self)
        self.known_keys = keys.known_keys(self.base_path, organization_keys, known_keys_file)
        self.util = util.Util(self)
        self.collaboration = collaborations.Collaboration(self)
        self.organization = organizations.Organization(self)
        self.user = users.User(self)
        self.result = results.Result(self)
        self.task = tasks.Task(self)
        self.role = roles.Role(self)
        self.node = nodes.Node(self)
        self.rule = rules.Rule(self)
        self.algorithm = algorithms.Algorithm(self)
        self.keys = keys.Keys(self)

    @property
    def identity(self) -> WhoAmI:
        """Who is logged in.

        Raises
        ------
        Unauthenticated
            If the client is not logged in.
        """
        if self.whoami is None:
            raise Unauthenticated("Log in first: client.authenticate(username, password).")
        return self.whoami

    def authenticate(  # type: ignore[override]
        self, username: str, password: str, mfa_code: int | str | None = None
    ) -> None:
        """Log in.

        Where the server asks for two-factor authentication and you have not set it up, this
        shows how to, and you are not logged in yet.

        Parameters
        ----------
        username
            Name of the account.
        password
            Its password.
        mfa_code
            Six digits of the authenticator app, where the server asks for them.

        Raises
        ------
        AuthenticationException
            If the server does not accept them.
        """
        credentials: Document = {"username": username, "password": password}
        if mfa_code:
            credentials["mfa_code"] = mfa_code
        if super().authenticate(credentials, "token/user"):
            self.learn_identity()

    @property
    def tokens(self) -> Tokens | None:
        """The tokens with which `resume` goes on later; None before a login."""
        return self._login.tokens

    def resume(self, tokens: Tokens, whoami: WhoAmI, store: TokenStore | None = None) -> None:
        """Go on with the session of an earlier login, without the password.

        Parameters
        ----------
        tokens
            What `tokens` was then.
        whoami
            What `whoami` was then.
        store
            Where other processes find the tokens, which change when they are renewed.
        """
        self._login.resume(tokens, store)
        self.whoami = whoami

    def learn_identity(self) -> None:
        """Ask the server who is logged in."""
        said = claims(self.token or "")
        user = self.call("get", f"user/{said.get('sub', said.get('identity'))}")
        organization_id = user["organization"]["id"]
        try:
            organization_name = self.call("get", f"organization/{organization_id}")["name"]
        except (Unauthenticated, Forbidden):  # a user who may not even see the own organization
            organization_name = ""
        self.whoami = WhoAmI(
            "user", user["id"], user["firstname"], organization_name, organization_id
        )
        self.log.info("Logged in as %s of %s", self.whoami.name, self.whoami.organization_name)

    def setup_encryption(
        self, private_key_file: str | Path | None, *, replace: bool = False
    ) -> None:
        """Use the private key of your organization from now on, or no encryption.

        The public key is sent to the server if the organization has none there.

        Parameters
        ----------
        private_key_file
            File with the private key; None or an empty text for no encryption.
        replace
            Replace another public key at the server. All that was encrypted for it becomes
            unreadable without its private key.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it holds no RSA private key, or one for which nothing can be encrypted.
        Conflict
            If the organization has another public key at the server.
        """
        if not private_key_file:
            self.cryptor = DummyCryptor()
            return
        cryptor = RSACryptor(private_key_file)
        read_public_key(cryptor.public_key_str)
        own = f"organization/{self.identity.organization_id}"
        registered = self.call("get", own)["public_key"]
        if not registered or (replace and not cryptor.verify_public_key(registered)):
            body = {"public_key": cryptor.public_key_str}
            registered = self.call("patch", own, json=body)["public_key"]
        if not cryptor.verify_public_key(registered):
            raise Conflict(
                f"The key in {private_key_file} (fingerprint "
                f"{_fingerprint(cryptor.public_key_str)}) is not the key of "
                f"{self.identity.organization_name} at the server (fingerprint "
                f"{_fingerprint(registered)}). Use the private key file of your organization. Or "
                "replace the key at the server with setup_encryption(path, replace=True): what "
                "was encrypted for the old key can then not be read with the new one."
            )
        self.known_keys.own(self.identity.organization_id, cryptor.public_key_str)
        self.cryptor = cryptor

    def post_task(
        self,
        name: str,
        image: str,
        collaboration_id: int,
        input_: object = "",
        description: str = "",
        organization_ids: Sequence[int] | None = None,
        data_format: str = LEGACY,
        database: str = "default",
    ) -> Any:
        """Create a new task; `task.create` with another order of parameters.

        Parameters
        ----------
        name
            Human readable name.
        image
            Docker image name which contains the algorithm.
        collaboration_id
            Id of the collaboration.
        input_
            Algorithm input.
        description
            Human readable description.
        organization_ids
            Ids of the organizations that compute.
        data_format
            How the input is written: ``legacy``, a bare pickle, ``pickle`` or ``json``.
        database
            Label of the database at the nodes.

        Returns
        -------
        dict
            The task.

        Raises
        ------
        vantage6.common.errors.Invalid
            If it cannot work; see `task.create`.
        """
        return self.task.create(
            collaboration=collaboration_id,
            organizations=organization_ids or [],
            name=name,
            image=image,
            description=description,
            input=input_,
            data_format=data_format,
            database=database,
        )

    def get_results(
        self,
        id_: int | None = None,
        state: str | None = None,
        include_task: bool = False,
        task_id: int | None = None,
        node_id: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return results whose ``input`` and ``result`` are decrypted bytes.

        See `result.list` for results as Python objects.

        Parameters
        ----------
        id_
            Id of a result, to get only this one.
        state
            ``open`` for those that are not finished.
        include_task
            Put the task into each result instead of a link to it.
        task_id
            Id of the task.
        node_id
            Id of the node that computes.
        params
            More of the query that the server understands.

        Returns
        -------
        list or dict
            The results, or the one that was asked for.

        Raises
        ------
        NotEncrypted
            If encryption is set up, and the one that was asked for is not encrypted. In a list
            such a ``result`` is None, and ``refused`` says why.
        """
        query = {
            **(params or {}),
            "state": state,
            "include": "task" if include_task else (params or {}).get("include"),
            "task_id": task_id,
            "node_id": node_id,
        }
        return self.reader.decrypted(
            self.request(f"result/{id_}" if id_ else "result", params=query)
        )

    def wait_for_results(
        self, task_id: int, sleep: float | None = None, *, timeout: float | None = None
    ) -> Any:
        """Wait until a task is complete and return its results, also if it failed.

        The log says why it failed, with the first cause. On a terminal and in a notebook a line
        shows how far the organizations are. Ctrl-C ends the wait, not the task.

        Parameters
        ----------
        task_id
            Id of the task.
        sleep
            Seconds between two questions to the server. By default 0.05, growing to 2.
        timeout
            Seconds to wait at most; a server that does not answer can add a minute.

        Returns
        -------
        list
            The results, as `get_results` returns them. ``client.result.from_task(task_id)``
            gives Python objects.

        Raises
        ------
        StillRunning
            If the time is up; this is a TimeoutError. The task goes on.
        """
        sleeps = waiting.pauses(0.05, 2.0) if sleep is None else repeat(sleep)
        try:
            with waiting.display() as screen:
                waiting.until_complete(
                    lambda: self.task.status(task_id), sleeps, timeout=timeout, on=screen
                )
        except KeyboardInterrupt:
            console.say(
                f"\nTask {task_id} goes on. Come back with client.wait_for_results({task_id}) or "
                f"stop it with client.task.kill({task_id}).",
                err=True,
            )
            raise
        results = self.get_results(task_id=task_id)
        said = causes.of_task(self.call, task_id, results) if isinstance(results, list) else None
        if said:  # the bar at a terminal is gone by now
            self.log.warning("%s", said)
        return waiting.Results(results) if isinstance(results, list) else results


Client = UserClient


def _fingerprint(public_key: str) -> str:
    try:
        return RSACryptor.fingerprint(public_key)
    except ValueError:
        return "something that is no public key"
