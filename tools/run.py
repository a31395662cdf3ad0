"""The frame around an algorithm: reads its input and data, calls it, writes its output."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vantage6.common.serialization import (
    LEGACY,
    SerializationError,
    deserialize,
    format_of,
    serialize,
)
from vantage6.common.task_status import FOR_PEOPLE
from vantage6.tools.card import ATTRIBUTE, Facts
from vantage6.tools.container import Container
from vantage6.tools.data_format import DataFormat
from vantage6.tools.dispatch_rpc import dispatch_rpc, find
from vantage6.tools.errors import AlgorithmError, describe_error, is_shared

#: The name of a format ends within so many bytes.
_LONGEST_NAME = 10

#: Makes the data of an algorithm from what the node offers and the input of the task.
Source = Callable[[Container, dict[str, Any]], Any]


def run(
    module: str,
    source: Source,
    use_new_client: bool,
    log_traceback: bool,
    central_source: Source | None = None,
    *,
    allow_pickle: bool = False,
) -> None:
    """Run the task that the node has prepared.

    Parameters
    ----------
    module
        Module of the algorithm.
    source
        Loads its data.
    use_new_client
        Give central methods an `AlgorithmClient` instead of a `ContainerClient`.
    log_traceback
        Write where in the algorithm an error came up.
    central_source
        Loads the data of central methods, where that is another.
    allow_pickle
        Read pickles too: the input, and what sub-tasks answer.

    Raises
    ------
    SystemExit
        If something goes wrong, after a sentence on standard error.
    """
    try:
        container = Container.from_environment()
        input_data = load_input(container.input_file, allow_pickle=allow_pickle)
        function = find(input_data, module)  # before the data, which may take long to load
        if input_data.get("master"):
            source = central_source or source
        data = source(container, input_data) if _reads_database(function) else None
        output = dispatch_rpc(
            data,
            input_data,
            module,
            container.token(),
            use_new_client,
            log_traceback,
            allow_pickle=allow_pickle,
        )
        output_format = input_data.get("output_format") or _format_of(container.input_file)
        write_output(output_format, output, container.output_file)
    # SECURITY: any error. Python would write the text of one that passes here to the log.
    except Exception as error:
        # What was printed is still held back, and would end the log in place of the reason.
        sys.stdout.flush()
        sys.stderr.write(f"{FOR_PEOPLE}{describe_error(error, share=is_shared())}\n")
        raise SystemExit(1) from error


def _reads_database(function: Callable[..., Any]) -> bool:
    """Tell whether a function gets data; one whose card says "none" gets None."""
    facts = getattr(function, ATTRIBUTE, None)
    return not (isinstance(facts, Facts) and facts.database == "none")


def load_input(input_file: str | Path, *, allow_pickle: bool = False) -> dict[str, Any]:
    """Return the input of the task.

    Parameters
    ----------
    input_file
        The file that holds it.
    allow_pickle
        Read pickles too.

    Raises
    ------
    AlgorithmError
        If it cannot be read.
    """
    try:
        # SECURITY: a pickle only where the author of the algorithm says so.
        input_data = deserialize(Path(input_file).read_bytes(), allow_pickle=allow_pickle)
    except SerializationError as error:
        raise AlgorithmError(f"The input of the task cannot be read: {error}") from error
    if not isinstance(input_data, dict):
        raise AlgorithmError("The input of the task is not a dictionary.")
    return input_data


def _format_of(input_file: Path) -> str:
    """Return the format of an answer to an input that asks for none: a pickle for a pickle.

    That is how images of 3.11 answer. The data station has let the pickle in.
    """
    with input_file.open("rb") as file:
        name = format_of(file.read(_LONGEST_NAME)).lower()
    return LEGACY if name in (LEGACY, DataFormat.PICKLE) else DataFormat.JSON


def write_output(output_format: str | None, output: object, output_file: str | Path) -> None:
    """Write the answer of the algorithm.

    Parameters
    ----------
    output_format
        ``json``, ``pickle``, ``legacy`` for a pickle without its name in front, or None for the
        default.
    output
        The answer.
    output_file
        Where to write it; untouched if it cannot be written in this format.

    Raises
    ------
    AlgorithmError
        If it cannot be written in this format.
    """
    name = output_format or DataFormat.JSON
    if str(name).lower() not in (*DataFormat, LEGACY):
        raise AlgorithmError(f"There is no output format {name!r}, only json and pickle.")
    try:
        content = serialize(output, name)
    except SerializationError as error:
        raise AlgorithmError(
            f"The answer cannot be written. {error}. Let the algorithm return plain numbers, "
            "texts, lists and dictionaries."
        ) from error
    Path(output_file).write_bytes(content)
