"""What the engine says about a start tells the researcher of the image, and of nothing else."""

import pytest

from vantage6.node.runtime.start_failures import start_failed


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'OCI runtime create failed: runc create failed: exec: "run.py": executable file not '
            "found in $PATH: unknown",
            'exec: "run.py": executable file not found in $PATH',
        ),
        (
            'failed to create task: exec: "/app/run": stat /app/run: no such file or directory',
            'exec: "/app/run": stat /app/run: no such file or directory',
        ),
        (
            "invalid mount config for type bind: bind source path does not exist: "
            "/hospital/secret/patients.csv",
            "the log of the node says why",
        ),
        (
            'error gathering device information while adding custom device "/dev/nvidia0": '
            "no such file or directory",
            "the log of the node says why",
        ),
    ],
)
def test_only_the_program_of_the_image_is_named(said: str, told: str) -> None:
    refusal = start_failed(said)
    assert refusal.reason.message == f"The container could not be started: {told}."
    assert "hospital" not in refusal.reason.message
