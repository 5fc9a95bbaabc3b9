"""What only those can ask wrong who speak one of the standards."""

from __future__ import annotations

from vacancies.errors import FreiplatzError


class NotAcceptable(FreiplatzError):
    """None of the media types that the caller takes can be had here."""

    code = "not_acceptable"


class NotSupported(FreiplatzError):
    """The standard knows it, this service does not."""

    code = "not_supported"


class UnknownTenant(FreiplatzError):
    """There is only one tenant here, and it has no name (ETSI GS CIM 009, clause 4.14)."""

    code = "unknown_tenant"


class UnknownResource(FreiplatzError):
    """There is nothing of that kind, or with that id, under this standard."""

    code = "unknown_resource"
