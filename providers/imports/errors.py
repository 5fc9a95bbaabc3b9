"""Why a list as a whole cannot be taken; single rows are refused in the report instead."""

from __future__ import annotations

from vacancies.errors import FreiplatzError, InvalidInput


class UnreadableList(FreiplatzError):
    """The file is neither a table nor JSON with rows, or there is nothing in it."""

    code = "unreadable_list"


class InvalidMapping(InvalidInput):
    """The mapping names a field or a column that does not exist, or cannot be read."""

    code = "invalid_mapping"


class MappingNeeded(FreiplatzError):
    """It cannot be told which column holds the name, or where the homes are.

    `proposal` is a mapping file with what was recognised, to be completed.
    """

    code = "mapping_needed"

    def __init__(self, detail: str, *, proposal: str) -> None:
        super().__init__(detail)
        self.proposal = proposal
