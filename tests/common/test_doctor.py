"""What the doctors of both programs share."""

import pytest

from vantage6.common.cli.doctor import Failed, State, findings


def test_a_check_that_breaks_does_not_end_the_list() -> None:
    def breaks() -> str:
        raise TypeError("can't compare offset-naive and offset-aware datetimes")

    def fails() -> str:
        raise Failed("Mend it.")

    found = list(findings([("one", breaks), ("two", fails), ("three", lambda: "Well.")]))
    assert [one.state for one in found] == [State.FAILURE, State.FAILURE, State.OK]
    assert "TypeError" in found[0].message


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_check_can_be_left(kind: type[BaseException]) -> None:
    def leaves() -> str:
        raise kind

    with pytest.raises(kind):
        list(findings([("one", leaves)]))
