"""What a node tells the server about its configuration."""

from typing import Any

import pytest

from tests.node.factories import make_config
from vantage6.node.rules.published_policy import public_settings


def pairs(**values: Any) -> list[tuple[str, str]]:
    return [(item["key"], item["value"]) for item in public_settings(make_config(**values))]


@pytest.mark.parametrize(("enabled", "told"), [(True, "1"), (False, "0")])
def test_without_policies_everything_is_allowed(enabled: bool, told: str) -> None:
    found = pairs(encryption={"enabled": enabled})
    assert found == [("encryption", told), ("allowed_algorithms", "all")]


def test_each_entry_of_the_policies_is_told() -> None:
    policies = {
        "allowed_algorithms": ["a/b", "c/.*"],
        "allowed_users": [3],
        "allowed_organizations": ["6", "Berlin"],
    }
    assert pairs(policies=policies, allowed_images=["d"]) == [
        ("encryption", "0"),
        ("allowed_algorithms", "a/b"),
        ("allowed_algorithms", "c/.*"),
        ("allowed_users", "3"),
        ("allowed_orgs", "6"),
        ("allowed_orgs", "Berlin"),
    ]


def test_the_old_list_of_images_is_told_where_it_is_the_only_one() -> None:
    assert ("allowed_algorithms", "a/b") in pairs(allowed_images=["a/b"])


def test_a_value_is_cut_where_the_server_would_refuse_it() -> None:
    (_, (_, told)) = pairs(allowed_images=["x" * 300])
    assert told == "x" * 255


def test_nothing_is_told_if_nothing_is_to_be_told() -> None:
    assert pairs(share_config=False, policies={"allowed_users": [3]}) == []
