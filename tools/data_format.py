"""The formats of inputs and outputs."""

from enum import StrEnum


class DataFormat(StrEnum):
    """How an output is written when the input of the task asks for it."""

    #: The default: readable for everything, dangerous for nobody.
    JSON = "json"
    #: Python objects. The researcher has to allow reading them.
    PICKLE = "pickle"
