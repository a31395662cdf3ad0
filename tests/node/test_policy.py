"""Which results a station computes."""

from typing import Any

import pytest

from tests.node.factories import make_claim, make_config
from vantage6.common.errors import Forbidden
from vantage6.node.claims import Claim
from vantage6.node.outcomes import RefusalError
from vantage6.node.policy import Policy


def no_names(organization_id: int) -> str:
    raise AssertionError("no rule needs a name")


def code_of_refusal(claim: Claim, **values: Any) -> str | None:
    try:
        Policy(make_config(**values), no_names).check(claim)
    except RefusalError as refusal:
        return refusal.reason.code
    return None


def test_everything_is_allowed_without_rules() -> None:
    assert code_of_refusal(make_claim()) is None


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("harbor.org/a/average", True),
        ("harbor.org/a/average:2", True),
        ("harbor.org/a/averageevil", False),
        ("evil.org/harbor.org/a/average", False),
        ("harbor.org/a/average\n", False),
    ],
)
def test_image_has_to_match_as_a_whole(image: str, allowed: bool) -> None:
    rules = {"policies": {"allowed_algorithms": r"harbor\.org/a/average(:\d+)?"}}
    refused = code_of_refusal(make_claim(image=image), **rules)
    assert refused == (None if allowed else "image_not_allowed")


def test_digest_can_be_required() -> None:
    rules = {"policies": {"allowed_algorithms": [r"a/b@sha256:[0-9a-f]{64}"]}}
    assert code_of_refusal(make_claim(image="a/b@sha256:" + "0" * 64), **rules) is None
    assert code_of_refusal(make_claim(image="a/b:latest"), **rules) == "image_not_allowed"


def test_old_list_of_images_counts_in_addition() -> None:
    rules = {"policies": {"allowed_algorithms": ["a/.*"]}, "allowed_images": [".*/b"]}
    assert code_of_refusal(make_claim(image="a/b"), **rules) is None
    assert code_of_refusal(make_claim(image="a/c"), **rules) == "image_not_allowed"
    assert code_of_refusal(make_claim(image="c/b"), **rules) == "image_not_allowed"


def test_subtasks_are_held_to_the_same_rules() -> None:
    rules = {"policies": {"allowed_algorithms": ["a/b"]}}
    claim = make_claim(image="evil", is_subtask=True)
    assert code_of_refusal(claim, **rules) == "image_not_allowed"


def test_user_or_organization_has_to_be_listed() -> None:
    rules = {"policies": {"allowed_users": [7], "allowed_organizations": ["2"]}}
    assert code_of_refusal(make_claim(init_user=7, initiator=1), **rules) is None
    assert code_of_refusal(make_claim(init_user=8, initiator=2), **rules) is None
    refused = code_of_refusal(make_claim(init_user=8, initiator=1), **rules)
    assert refused == "initiator_not_allowed"
    assert code_of_refusal(make_claim(init_user=None), **rules) == "initiator_not_allowed"


def test_organization_can_be_listed_by_its_exact_name() -> None:
    config = make_config(policies={"allowed_organizations": ["IKNL"]})
    Policy(config, lambda id_: "IKNL").check(make_claim())
    with pytest.raises(RefusalError) as caught:
        Policy(config, lambda id_: "IKNL 2").check(make_claim())
    assert caught.value.status == "not allowed"


def test_organization_whose_name_is_not_told_is_refused() -> None:
    def secretive(organization_id: int) -> str:
        raise Forbidden

    config = make_config(policies={"allowed_organizations": ["IKNL"]})
    with pytest.raises(RefusalError):
        Policy(config, secretive).check(make_claim())
