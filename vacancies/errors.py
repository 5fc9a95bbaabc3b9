"""The error tree. Codes are stable API values; HTTP statuses are chosen in `web/problems.py`.

Every message says what is wrong and what to do next, in one or two plain sentences.
"""

from __future__ import annotations

from typing import ClassVar


class FreiplatzError(Exception):
    """Anything that we refuse or could not do, with a stable `code`.

    `field` names the offending input where there is one (`vacancies[0].count`).
    """

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class SettingsError(FreiplatzError):
    """One or more settings are missing or wrong; the message lists all of them."""

    code = "invalid_settings"


class BackupError(FreiplatzError):
    """A backup cannot be made, or is not one that can be restored; nothing was changed."""

    code = "backup"


class InvalidInput(FreiplatzError):
    """A value is of the wrong type, out of its range, or contradicts another."""

    code = "invalid_field"


class InvalidParameter(InvalidInput):
    """The same for a query parameter or a header."""

    code = "invalid_parameter"


class InvalidJson(InvalidInput):
    """The body is not JSON at all."""

    code = "invalid_json"


class ObservedInFuture(InvalidInput):
    """`observed_at` lies more than five minutes ahead of the database's clock."""

    code = "observed_in_future"


class ExceedsCapacity(InvalidInput):
    """More places are said to be free than are licensed."""

    code = "exceeds_capacity"


class UnknownPlace(FreiplatzError):
    """No place of that name or postcode is in the gazetteer; `candidates` are nearly so."""

    code = "unknown_place"

    def __init__(self, detail: str, *, candidates: list[dict[str, object]] | None = None) -> None:
        super().__init__(detail, field="place")
        self.candidates = candidates or None


class AmbiguousPlace(FreiplatzError):
    """Several places have that name: `candidates` are labels to choose from."""

    code = "ambiguous_place"

    def __init__(self, detail: str, *, candidates: list[dict[str, object]]) -> None:
        super().__init__(detail, field="place")
        self.candidates = candidates


class GeocoderUnavailable(FreiplatzError):
    """The configured geocoding service does not answer."""

    code = "geocoder_unavailable"


class UnknownHome(FreiplatzError):
    """There is no home with that id."""

    code = "unknown_home"


class UnknownMunicipality(FreiplatzError):
    """No municipality with that key takes part."""

    code = "unknown_municipality"


class HomeClosed(FreiplatzError):
    """The home is closed, or merged into another (`merged_into`)."""

    code = "home_closed"

    def __init__(self, detail: str, *, merged_into: str | None = None) -> None:
        super().__init__(detail)
        self.merged_into = merged_into


class HomeGone(HomeClosed):
    """The same, said to a reader."""


class ForeignHome(FreiplatzError):
    """The home belongs to another provider than the key."""

    code = "foreign_home"


class NothingToConfirm(FreiplatzError):
    """The home has never reported, so there is nothing that could still be so."""

    code = "nothing_to_confirm"


class OutdatedReport(FreiplatzError):
    """A report that was observed before the stored one."""

    code = "outdated_report"


class ChangedSince(FreiplatzError):
    """`If-Match` names another state than the stored one."""

    code = "changed_since"


class IdempotencyKeyReused(FreiplatzError):
    """The same `Idempotency-Key` came with another body."""

    code = "idempotency_key_reused"


class IdempotencyKeyInFlight(FreiplatzError):
    """The first call with that `Idempotency-Key` is still running."""

    code = "idempotency_key_in_flight"


class Unauthenticated(FreiplatzError):
    """No key, or one that is unknown or revoked: the answer is the same for all."""

    code = "unauthenticated"


class Unavailable(FreiplatzError):
    """The database cannot be reached; nothing was changed."""

    code = "unavailable"


class OutcomeUnknown(FreiplatzError):
    """The connection was lost during COMMIT: the report may or may not be stored."""

    code = "outcome_unknown"


class Overloaded(FreiplatzError):
    """More work waits than this process takes on; nothing was changed."""

    code = "overloaded"


class TooManyRequests(FreiplatzError):
    """One client asks more often than it may; in `retry_after_seconds` it may again."""

    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class TooManyViewers(TooManyRequests):
    """As many live streams are open from one address as may be."""

    code = "too_many_viewers"
