"""Which requests a person at the station looks at first."""

from typing import Any

import pytest

from tests.node.factories import make_claim, make_config
from vantage6.common.disclosure.functions import AskedFunction
from vantage6.common.errors import ConfigurationError
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.policy import Policy

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
MEAN = AskedFunction("mean", is_central=True)


def mode(approval: Any, **asked: Any) -> str:
    """Return when a person is asked, by the rules of a file."""
    policies = {} if approval is None else {"approval": approval}
    config = make_config(databases={"default": "x", "other": "y"}, policies=policies)
    standard: dict[str, Any] = {"image": "a/b", "database": "default", "function": MEAN}
    return Policy(config).on_approval(PolicyRequest(**standard | asked)).mode


def test_a_file_of_before_asks_nobody() -> None:
    assert mode(None) == "never"
    config = make_config(databases={"default": "x"})
    assert Policy(config).on_approval(PolicyRequest.by(make_claim())).mode == "never"
    assert Policy(config).approvals_needed == 1
    assert Policy(config).hold_seconds == 14 * 24 * 3600


@pytest.mark.parametrize("word", ["never", "first_use", "always"])
def test_one_word_counts_for_all(word: str) -> None:
    assert mode(word) == word


def test_the_first_rule_that_fits_counts() -> None:
    approval = {
        "default": "always",
        "rules": [
            {"image": "a/b", "function": "me.n", "database": "default", "ask": "never"},
            {"image": "a/.*", "ask": "first_use"},
        ],
    }
    assert mode(approval) == "never"
    assert mode(approval, database="other") == "first_use"
    assert mode(approval, function=AskedFunction("mean_of_one")) == "first_use"
    assert mode(approval, image="c/d") == "always"


@pytest.mark.parametrize("function", [None, AskedFunction(None)])
def test_a_function_that_is_not_known_counts_as_the_strictest(
    function: AskedFunction | None,
) -> None:
    rules = [{"function": "mean", "ask": "always"}]
    assert mode({"rules": rules}, function=function) == "always"
    rules = [{"function": "mean", "ask": "never"}]
    assert mode({"default": "always", "rules": rules}, function=function) == "always"


def test_a_digest_that_is_not_known_counts_as_the_strictest() -> None:
    approval = {"default": "first_use", "rules": [{"image": f"a/b@{ONE}", "ask": "never"}]}
    assert mode(approval) == "first_use"
    assert mode(approval, digests=frozenset({ONE})) == "never"
    assert mode(approval, digests=frozenset({TWO})) == "first_use"
    approval = {"default": "never", "rules": [{"image": f"a/b@{ONE}", "ask": "always"}]}
    assert mode(approval) == "always"
    assert mode(approval, digests=frozenset({TWO})) == "never"


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        ("sometimes", "approval"),
        ({"rules": [{"ask": "always"}]}, "set `default`"),
        ({"rules": [{"database": "typo", "ask": "always"}]}, "typo"),
        ({"rules": [{"image": "(", "ask": "always"}]}, "regular expression"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(approval: Any, said: str) -> None:
    with pytest.raises((ConfigurationError, ValueError), match=said):
        mode(approval)
