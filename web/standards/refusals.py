"""What only those can ask wrong who speak one of the standards."""

from __future__ import annotations

from vacancies.errors import FreiplatzError


class NotAcceptable(FreiplatzError):
    """None of the media types that the caller takes can be had here."""

    code = "not_acceptable"


class WrongMediaType(FreiplatzError):
    """The body is of a type that is not understood here."""

    code = "wrong_media_type"


class NotSupported(FreiplatzError):
    """The standard knows it, this service does not."""

    code = "not_supported"


class UnknownTenant(FreiplatzError):
    """There is only one tenant here, and it has no name (ETSI GS CIM 009, clause 4.14)."""

    code = "unknown_tenant"


class UnknownResource(FreiplatzError):
    """There is nothing of that kind, or with that id, under this standard."""

    code = "unknown_resource"


class TooManySubscriptions(FreiplatzError):
    """The subscriber has as many as it may have."""

    code = "too_many_subscriptions"


class AlreadyExists(FreiplatzError):
    """There is a subscription with that id."""

    code = "already_exists"
