"""Code is told from prose, with a document that is not one of the seeds."""

from tests.seeds.document import read

PAGE = """\
1. Title#

Note

Call client.task.get(<id>) or run tool start, with wait = True.

# first
number = 1

print(number)

Roles and Rules#

>>> number
1

Example file
environments:
  test:
    port: 1

    log:
      level: DEBUG

Run vserver stop --name <it>, which vserver explains, in one of

vserver start --attach

vserver stop
"""


def test_each_kind_of_code_is_found_where_it_stands() -> None:
    found = [(one.chapter, one.kind, one.text) for one in read(PAGE)]
    example = "environments:\n  test:\n    port: 1\n\n    log:\n      level: DEBUG"
    assert found == [
        ("Title", "call", "client.task.get(<id>)"),
        ("Title", "argument", "wait = True"),
        ("Title", "python", "# first\nnumber = 1\n\nprint(number)"),
        ("Roles and Rules", "example", ">>> number\n1"),
        ("Roles and Rules", "yaml", example),
        ("Roles and Rules", "key", "port"),
        ("Roles and Rules", "key", "log.level"),
        ("Roles and Rules", "command", "vserver stop --name <it>"),
        ("Roles and Rules", "command", "vserver start --attach"),
        ("Roles and Rules", "command", "vserver stop"),
    ]


def test_the_id_of_a_statement_begins_with_code() -> None:
    ids = [one.id for one in read(PAGE) if one.kind == "python"]
    assert ids == ["Title: number = 1"]
