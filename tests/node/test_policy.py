"""Which results a station computes."""

from typing import Any

import pytest

from tests.node.factories import make_claim, make_config
from vantage6.common.errors import ConfigurationError
from vantage6.node.claims import Claim
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import PolicyRequest, Verdict
from vantage6.node.rules.policy import Policy

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def code_of_refusal(claim: Claim, asked: dict[str, Any] | None = None, **values: Any) -> str | None:
    """Return the code with which a claim is refused by a configuration, or None."""
    config = make_config(**{"databases": {"default": "x"}, **values})
    try:
        Policy(config).check(PolicyRequest.by(claim, **(asked or {})))
    except RefusalError as refusal:
        return refusal.reason.code
    return None


def test_everything_is_allowed_without_rules() -> None:
    assert code_of_refusal(make_claim()) is None
    assert code_of_refusal(make_claim(), policies=None) is None


@pytest.mark.parametrize("format_", ["legacy", "pickle", "rds", "csv"])
def test_inputs_that_are_not_json_need_a_word_of_the_station(format_: str) -> None:
    asked = {"input_format": format_}
    rules = {"allowed_algorithms": ".*"}
    assert code_of_refusal(make_claim(), asked, policies=rules) == "pickle_not_allowed"
    # As it was where no policies are written, and where the station says so.
    assert code_of_refusal(make_claim(), asked) is None
    assert code_of_refusal(make_claim(), asked, policies={**rules, "allow_pickle": True}) is None
    for harmless in ("json", "empty", None):
        assert code_of_refusal(make_claim(), {"input_format": harmless}, policies=rules) is None


@pytest.mark.parametrize("policies", [{}, {"allowed_users": [7]}, {"max_input_bytes": 5}])
def test_policies_that_name_no_image_allow_none_and_say_so(policies: dict[str, Any]) -> None:
    assert code_of_refusal(make_claim(), policies=policies) == "image_not_allowed"
    with pytest.raises(RefusalError, match="name no image") as caught:
        Policy(make_config(policies=policies)).check(PolicyRequest.by(make_claim()))
    assert caught.value.status == "not allowed"


def test_the_old_list_of_images_serves_policies_that_name_none() -> None:
    rules = {"policies": {"allowed_users": [7]}, "allowed_images": ["a/b"]}
    assert code_of_refusal(make_claim(image="a/b"), **rules) is None
    assert code_of_refusal(make_claim(image="a/c"), **rules) == "image_not_allowed"


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
    rules = {"policies": {"allowed_algorithms": r"^harbor\.org/a/average(:\d+)?"}}
    code = code_of_refusal(make_claim(image=image), **rules)
    assert code == (None if allowed else "image_not_allowed")


def test_both_lists_of_images_have_to_agree() -> None:
    rules = {"policies": {"allowed_algorithms": ["a/.*"]}, "allowed_images": [".*/b"]}
    assert code_of_refusal(make_claim(image="a/b"), **rules) is None
    assert code_of_refusal(make_claim(image="a/c"), **rules) == "image_not_allowed"
    assert code_of_refusal(make_claim(image="c/b"), **rules) == "image_not_allowed"


@pytest.mark.parametrize(
    ("image", "found", "allowed"),
    [
        ("reg.org:5000/a/b", ONE, True),
        ("reg.org:5000/a/b:3", ONE, True),
        (f"reg.org:5000/a/b@{ONE}", ONE, True),
        (f"reg.org:5000/a/b:3@{ONE}", ONE, True),
        ("reg.org:5000/a/b:3", TWO, False),
        (f"reg.org:5000/a/b@{TWO}", ONE, False),
        ("reg.org:5000/a/bevil:3", ONE, False),
        ("reg.org:5000/a/b/c", ONE, False),
    ],
)
def test_name_with_digest_allows_what_it_stands_for(image: str, found: str, allowed: bool) -> None:
    rules = {"policies": {"allowed_algorithms": rf"reg\.org:5000/a/b@{ONE}"}}
    known = {"digests": frozenset({found, f"sha256:{'f' * 64}"})}
    code = code_of_refusal(make_claim(image=image), known, **rules)
    assert code == (None if allowed else "image_not_allowed")


def test_digest_alone_has_to_be_in_the_reference() -> None:
    rules = {"policies": {"allowed_algorithms": ONE}}
    known = {"digests": frozenset({ONE})}
    assert code_of_refusal(make_claim(image=f"any/name@{ONE}"), known, **rules) is None
    assert code_of_refusal(make_claim(image=ONE), known, **rules) is None
    # Otherwise everything would be pulled only to be looked at.
    assert code_of_refusal(make_claim(image="any/name"), known, **rules) == "image_not_allowed"
    assert code_of_refusal(make_claim(image="any/name"), **rules) == "image_not_allowed"


def test_digest_is_open_until_the_image_is_there() -> None:
    config = make_config(policies={"allowed_algorithms": f"a/b@{ONE}"})
    asked = PolicyRequest(image="a/b:1", database="default")
    assert next(Policy(config).findings(asked)).verdict is Verdict.OPEN


def test_subtasks_are_held_to_the_same_rules() -> None:
    rules = {"policies": {"allowed_algorithms": ["a/b"]}}
    claim = make_claim(image="evil", is_subtask=True)
    assert code_of_refusal(claim, **rules) == "image_not_allowed"


def test_user_or_organization_has_to_be_listed() -> None:
    rules = {
        "policies": {
            "allowed_algorithms": ".*",
            "allowed_users": [7, "bob"],
            "allowed_organizations": ["2", "IKNL"],
        }
    }

    def code(**claim: Any) -> str | None:
        others = {"init_user": 8, "init_username": "eve", "initiator": 1, "initiator_name": "x"}
        return code_of_refusal(make_claim(**{**others, **claim}), **rules)

    assert code(init_user=7) is None
    assert code(init_username="bob") is None
    assert code(initiator=2) is None
    assert code(initiator_name="IKNL") is None
    assert code() == "initiator_not_allowed"
    assert code(init_user=None, init_username=None) == "initiator_not_allowed"
    assert code(initiator_name="IKNL 2") == "initiator_not_allowed"


def test_name_of_digits_is_never_taken_for_an_id() -> None:
    rules = {"policies": {"allowed_algorithms": ".*", "allowed_users": [8]}}
    claim = make_claim(init_user=9, init_username="8")
    assert code_of_refusal(claim, **rules) == "initiator_not_allowed"


def test_database_is_open_only_to_the_images_that_are_named_for_it() -> None:
    rules = {
        "databases": {"default": "x", "registry": "y", "secret": "z"},
        "policies": {
            "allowed_algorithms": ".*",
            "databases": {"default": ".*", "registry": ["a/b", f"a/d@{ONE}"]},
        },
    }

    def code(image: str, database: str, **asked: Any) -> str | None:
        return code_of_refusal(make_claim(image=image, database=database), asked, **rules)

    assert code("a/c", "default") is None
    assert code("a/b", "registry") is None
    assert code("a/c", "registry") == "database_not_allowed"
    assert code("a/d:1", "registry", digests=frozenset({ONE})) is None
    assert code("a/d:1", "registry", digests=frozenset({TWO})) == "database_not_allowed"
    assert code("a/b", "secret") == "database_not_allowed"


def test_rule_for_a_database_that_does_not_exist_is_a_mistake() -> None:
    policies = {"allowed_algorithms": ".*", "databases": {"typo": ".*"}}
    with pytest.raises((ConfigurationError, ValueError), match="typo"):
        make_config(databases={"default": "x"}, policies=policies)


@pytest.mark.parametrize(("length", "code"), [(10, None), (11, "input_too_large")])
def test_input_has_a_largest_size(length: int, code: str | None) -> None:
    rules = {"policies": {"allowed_algorithms": ".*", "max_input_bytes": 10}}
    assert code_of_refusal(make_claim(), {"input_bytes": length}, **rules) == code


def test_output_has_a_largest_size() -> None:
    policies = {"allowed_algorithms": ".*", "max_output_bytes": 10}
    policy = Policy(make_config(policies=policies))
    assert policy.may_leave(10) is None
    reason = policy.may_leave(11)
    assert reason is not None
    assert reason.code == "output_not_allowed"
    assert Policy(make_config()).may_leave(10**9) is None
