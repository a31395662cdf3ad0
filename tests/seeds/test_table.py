"""The table of all statements is complete and true."""

from collections import Counter

import pytest

from tests.seeds import test_client_document, test_server_document, test_server_shell
from tests.seeds.document import MISSING
from tests.seeds.table import ALL, TESTS, WAITS, rows

needs_documents = pytest.mark.skipif(not ALL, reason=MISSING)


@needs_documents
def test_every_row_quotes_one_statement() -> None:
    wrong = [row for row in rows() if len(row.statements()) != 1]
    assert not wrong


@needs_documents
def test_every_statement_has_one_row() -> None:
    quoted = Counter(one for row in rows() for one in row.statements())
    assert not [one.id for one in ALL if quoted[one] != 1]


def test_every_row_names_a_test_or_says_what_it_waits_for() -> None:
    for row in rows():
        modules = (test_client_document, test_server_document, test_server_shell)
        there = any(hasattr(module, row.test) for module in modules)
        reason = row.test.removeprefix(WAITS) if row.test.startswith(WAITS) else ""
        assert (there and row.test in TESTS) or len(reason.split()) > 2, row


def test_every_test_has_a_row() -> None:
    assert {row.test for row in rows()} >= TESTS
