"""Inputs of tasks, made ready to travel: encrypted where the collaboration asks for it."""

from vantage6.client.protocols import Requests
from vantage6.common.encoding import LazyText
from vantage6.common.encryption import DummyCryptor, RSACryptor
from vantage6.common.errors import Forbidden, Invalid, NotFound


class Sealer:
    """Turns the input of a task into one text per organization, which is made while it is sent.

    Parameters
    ----------
    client
        Whose cryptor is used, and which asks the server.
    """

    def __init__(self, client: Requests) -> None:
        self._client = client
        self._encrypted: dict[int, bool] = {}

    def seal(self, payload: bytes, collaboration_id: int, receivers: list[int]) -> list[LazyText]:
        """Return the text for each receiver.

        Parameters
        ----------
        payload
            The input as bytes.
        collaboration_id
            Id of the collaboration, which says whether inputs are encrypted.
        receivers
            Ids of the organizations.

        Raises
        ------
        Invalid
            If the client is not set up for this collaboration, or a receiver has no public key;
            as `KeyRefused` if it has another key than the client knows.
        """
        cryptor = self._cryptor(collaboration_id)
        if not isinstance(cryptor, RSACryptor):
            return [cryptor.encrypted(payload, None)] * len(receivers)
        keys = self._keys(collaboration_id, receivers)
        return [cryptor.encrypted(payload, key) for key in keys]

    def forget(self, collaboration_id: int) -> None:
        """Ask the server again whether a collaboration is encrypted."""
        self._encrypted.pop(collaboration_id, None)

    def _cryptor(self, collaboration_id: int) -> DummyCryptor | RSACryptor:
        """Return the cryptor for a collaboration; refuse if the client has another one."""
        cryptor = self._client.cryptor
        own = cryptor if isinstance(cryptor, RSACryptor) else DummyCryptor()
        try:
            encrypted = self._is_encrypted(collaboration_id)
        except NotFound as error:
            raise NotFound(
                f"There is no collaboration {collaboration_id}. Yours: "
                f"client.collaboration.list(fields=['id', 'name']). The server says: "
                f"{error.message}"
            ) from error
        except Forbidden:
            if cryptor is None:
                raise
            return own  # the user said which it is, and the server has the last word
        if encrypted and isinstance(own, DummyCryptor):
            raise Invalid(
                f"Collaboration {collaboration_id} is encrypted. Call "
                "client.setup_encryption('<private key file>') first."
            )
        # SECURITY: a server that lies about the collaboration must not get to see the input.
        if not encrypted and isinstance(own, RSACryptor):
            raise Invalid(
                f"Collaboration {collaboration_id} is not encrypted, but encryption is set up. "
                "Call client.setup_encryption(None) to send the input readable for the server."
            )
        return own

    def _is_encrypted(self, collaboration_id: int) -> bool:
        if collaboration_id not in self._encrypted:
            collaboration = self._client.call("get", f"collaboration/{collaboration_id}")
            self._encrypted[collaboration_id] = bool(collaboration["encrypted"])
        return self._encrypted[collaboration_id]

    def _keys(self, collaboration_id: int, receivers: list[int]) -> list[str]:
        """Return the public key of each receiver, all from one request."""
        found = self._client.call(
            "get", "organization", params={"collaboration_id": collaboration_id}
        )
        members = {organization["id"]: organization for organization in found}
        if missing := [str(id_) for id_ in receivers if id_ not in members]:
            raise Invalid(
                f"You see no organization {', '.join(missing)} in collaboration "
                f"{collaboration_id}, and without its public key nothing can be encrypted for it. "
                "client.organization.list(collaboration=...) shows those that you see."
            )
        if keyless := [members[id_] for id_ in receivers if not members[id_]["public_key"]]:
            names = ", ".join(f"{member['name']} (id {member['id']})" for member in keyless)
            raise Invalid(
                f"Nothing can be encrypted for {names}: it has no public key. One of its users has "
                "to log in and call client.setup_encryption('<private key file>') once, with the "
                "key that the node has too."
            )
        # SECURITY: the server may not choose who reads an input.
        self._client.known_keys.check_all({id_: members[id_]["public_key"] for id_ in receivers})
        return [members[id_]["public_key"] for id_ in receivers]
