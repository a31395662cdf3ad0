"""A contract of import-linter: each outside library is imported only in its rooms.

setup.cfg lists the rooms. A library that it does not list is refused, and so is a room that does
not use its library, so that the list says exactly what is.
"""

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

_OURS = "vantage6"


class Walls(Contract):
    """Each line of ``rooms`` is a library, a colon, and the packages or modules that import it."""

    type_name = "walls"

    rooms = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Compare the list with the imports."""
        lines: list[str] = list(self.rooms)  # type: ignore[call-overload]
        listed = {name: rooms.split() for name, _, rooms in (line.partition(":") for line in lines)}
        problems = []
        for library in sorted(_outside(graph) | set(listed)):
            users = _users(graph, library)
            rooms = listed.get(library, [])
            problems += [
                f"{user} imports {library}: not one of its rooms in setup.cfg"
                for user in sorted(users)
                if not any(_is_in(user, room) for room in rooms)
            ]
            problems += [
                f"{room} does not import {library}: remove it from the list in setup.cfg"
                for room in rooms
                if not any(_is_in(user, room) for user in users)
            ]
        return ContractCheck(kept=not problems, metadata={"problems": problems})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print a line for each problem."""
        for problem in check.metadata["problems"]:
            output.print_error(problem)


def _outside(graph: ImportGraph) -> set[str]:
    """Return the libraries that are neither ours nor Python's."""
    return {
        module
        for module in graph.modules
        if module.split(".")[0] not in {_OURS, *sys.stdlib_module_names}
    }


def _users(graph: ImportGraph, library: str) -> set[str]:
    if library not in graph.modules:
        return set()
    return set(graph.find_modules_that_directly_import(library))


def _is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")
