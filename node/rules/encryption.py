"""The agreement on encryption between this node, its organization and the collaboration."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vantage6.client.node_client import NodeClient
from vantage6.common import logs
from vantage6.common.encryption import CryptorBase, DummyCryptor, RSACryptor, read_public_key
from vantage6.common.errors import ConfigurationError, Invalid, Unavailable
from vantage6.common.known_keys import FILE_NAME, FIRST_USE, KnownKeys, fingerprint_of
from vantage6.node.outcomes import Reason
from vantage6.node.rules.audit import Audit

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What to encrypt with, and whether the node may compute at all."""

    cryptor: CryptorBase
    encrypted: bool
    #: Why no result is computed; None if all sides agree.
    refusal: Reason | None = None


def agree(
    server: NodeClient,
    collaboration_id: int,
    organization_id: int,
    *,
    enabled: bool,
    key_file: Path,
) -> Agreement:
    """Compare the configuration with the server, and publish the public key if it has none.

    A disagreement is not raised: a node that is gone would leave its tasks hanging, one that
    stays can answer each with the reason.

    Raises
    ------
    ConfigurationError
        If there is no usable key file where one is needed.
    """
    encrypted = bool(server.collaboration(collaboration_id)["encrypted"])
    if encrypted != enabled:
        return _disagreement(
            encrypted,
            "encryption_mismatch",
            f"The collaboration is {'' if encrypted else 'not '}encrypted, but the node is "
            f"configured with encryption.enabled: {str(enabled).lower()}. Its administrator has "
            "to change one of the two and restart the node.",
        )
    if not encrypted:
        return Agreement(DummyCryptor(), encrypted=False)
    published = server.organization(organization_id).get("public_key") or ""
    cryptor = _cryptor(key_file, may_create=not published)
    if not published:
        server.set_public_key(cryptor.public_key_str)
        log.info("public key published", organization_id=organization_id)
    elif not cryptor.verify_public_key(published):
        # Replacing it would make everything unreadable that was encrypted for the other key.
        return _disagreement(
            encrypted,
            "public_key_mismatch",
            f"The key in {key_file.name} at the node is not the one that the server has for its "
            "organization. Its administrator has to use the right key file, or publish this key, "
            "and restart the node.",
        )
    return Agreement(cryptor, encrypted=True)


def known_keys(instance: "Instance", audit: Audit | None = None) -> KnownKeys:
    """Return the keys of organizations that a node knows.

    Parameters
    ----------
    instance
        The node.
    audit
        Where it is written down that one was learned.
    """

    def learning(fresh: dict[int, str]) -> None:
        # SECURITY: first on record, then known. An algorithm can cause it with its sub-tasks, so
        # that it must not use up what is reserved in the audit file.
        for id_, mark in fresh.items():
            if audit is not None:
                audit.note("key_known", organization_id=id_, fingerprint=mark, learned=FIRST_USE)

    def learned(fresh: dict[int, str]) -> None:
        log.warning("keys met for the first time: compare them", keys=fresh)

    config = instance.config
    return KnownKeys(
        instance.data / FILE_NAME,
        written=config.organization_keys,
        is_closed=config.pins == "file",
        advice="If it says so too, the station's administrator calls "
        f"`vnode keys accept --name {instance.name} {{organization}} {{fingerprint}}`.",
        advice_written="If it says so too, the station's administrator changes organization_keys "
        "in the node's configuration and restarts the node.",
        learning=learning,
        learned=learned,
    )


def check_all(known: KnownKeys, public_keys: Mapping[int, str]) -> None:
    """Return if the keys of organizations are the known ones.

    Raises
    ------
    Invalid
        If one is no key, or another one.
    Unavailable
        If one is met for the first time and cannot be remembered.
    """
    try:
        known.check_all(public_keys)
    except ValueError as error:
        broken = next(id_ for id_, key in public_keys.items() if fingerprint_of(key) is None)
        raise Invalid(f"The public key of organization {broken} is broken.") from error
    except OSError as error:
        raise Unavailable(
            "The node cannot remember the key of an organization; try again later."
        ) from error


def _cryptor(key_file: Path, *, may_create: bool) -> RSACryptor:
    try:
        if may_create and not key_file.exists():
            key_file.parent.mkdir(parents=True, exist_ok=True)
            RSACryptor.create_new_rsa_key(key_file)
            log.warning("new key of the organization created: make a copy", file=str(key_file))
        cryptor = RSACryptor(key_file)
        read_public_key(cryptor.public_key_str)
        return cryptor
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"encryption.private_key: {error} Name the key file of the organization."
        ) from error


def _disagreement(encrypted: bool, code: str, message: str) -> Agreement:
    return Agreement(DummyCryptor(), encrypted, Reason(code, message))
