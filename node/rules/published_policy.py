"""What a node tells the server about its configuration, for researchers to see beforehand."""

from collections.abc import Iterator

from vantage6.common.config.node import NodeConfig

#: What the server keeps of one value.
_LENGTH = 255


def public_settings(config: NodeConfig) -> list[dict[str, str]]:
    """Return keys and values as nodes of 3.11 tell them; none where the node shall tell nothing.

    The node decides by its configuration alone: this is no promise.
    """
    pairs = _pairs(config) if config.share_config else ()
    return [{"key": key, "value": value[:_LENGTH]} for key, value in pairs]


def _pairs(config: NodeConfig) -> Iterator[tuple[str, str]]:
    policies = config.policies
    yield "encryption", str(int(config.encryption.enabled))
    algorithms = (policies.allowed_algorithms if policies else ()) or config.allowed_images
    for expression in algorithms or ("none" if policies else "all",):
        yield "allowed_algorithms", expression
    for user in policies.allowed_users if policies else ():
        yield "allowed_users", user
    for organization in policies.allowed_organizations if policies else ():
        yield "allowed_orgs", organization
