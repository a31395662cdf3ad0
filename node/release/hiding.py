"""Puts an output with hidden cells in the place of the computed one: what leaves was judged."""

import json
from pathlib import Path

from vantage6.common.disclosure.verdicts import Finding
from vantage6.common.durable_files import write_durably
from vantage6.node.release.by_card import CardJudgement
from vantage6.node.release.judgements import finding_from_json, finding_to_json

_FILE = "hidden.json"
_MOST_BYTES = 2**20


def rewrite_output(folder: Path, output: Path, judged: CardJudgement) -> None:
    """Put what the station wrote in the place of the output that was computed.

    Findings first: after a crash in between, the same cells are hidden again.

    Parameters
    ----------
    folder
        Of the result; the algorithm does not see it.
    output
        The file that the algorithm wrote, in a folder in which it could write nothing else.
    judged
        What the card says of it.
    """
    if judged.rewritten is None:
        return
    if judged.findings:
        findings = [finding_to_json(finding) for finding in judged.findings]
        write_durably(folder / _FILE, json.dumps(findings).encode())
    write_durably(output, judged.rewritten)


def read_hidden(folder: Path) -> tuple[Finding, ...]:
    """Return what was found in the output before cells were hidden; nothing if none were.

    Raises
    ------
    OSError
        If it cannot be read now.
    """
    try:
        with (folder / _FILE).open("rb") as file:
            return tuple(map(finding_from_json, json.loads(file.read(_MOST_BYTES))))
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(f"{folder / _FILE} holds no findings") from error
