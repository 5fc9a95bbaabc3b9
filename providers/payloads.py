"""What a provider may send: strict types, from which the OpenAPI document is made too.

Decoding (`decoding.py`) is strict: no `"1"` for 1, no unknown members.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from vacancies.errors import InvalidInput
from vacancies.models import (
    Address,
    AdmissionStop,
    CareForm,
    Contact,
    Costs,
    Focus,
    HomeStatus,
    Need,
    Ownership,
    Point,
    Room,
    Sex,
    SpokenLanguage,
    StopReason,
    Vacancy,
    WaitingList,
)

MAX_LINES = 100
MAX_REPORTS = 1_000
MAX_PLACES = 2_000
# Dates outside of this are slips of the keyboard.
FIRST_YEAR, LAST_YEAR = 2000, 2100

# No control characters: they do nothing good in pages, mails and CSV, and Postgres stores
# no NUL. A note may have line breaks.
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_END = r"(?!\n)$"  # "$" alone lets a last line feed pass
_LINE = rf"^[^{_CONTROL}]*{_END}"
_NAME = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*{_END}"
_TEXT = rf"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*{_END}"
_EMAIL = rf"^[!-?A-~\u00a1-\uffff]+@[!-?A-~\u00a1-\uffff]+\.[!-?A-~\u00a1-\uffff]+{_END}"
_WEBSITE = rf"^https?://[!#-;=?-~\u00a1-\uffff]+{_END}"
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_NAME)]
Line = Annotated[str, Meta(max_length=200, pattern=_LINE)]
Note = Annotated[str, Meta(max_length=500, pattern=_TEXT)]
Count = Annotated[int, Meta(ge=0, le=MAX_PLACES)]
Euros = Annotated[float, Meta(ge=0, le=100_000)]
CareGrade = Annotated[int, Meta(ge=1, le=5)]
Website = Annotated[str, Meta(max_length=500, pattern=_WEBSITE)]
HomeId = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._~-]{{1,64}}{_END}")]
Moment = Annotated[datetime, Meta(tz=True)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class VacancyLine(_Strict, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a report."""

    care_form: CareForm
    count: Count
    sex: Sex = Sex.ANY
    room: Room = Room.ANY
    care_grades: Annotated[tuple[CareGrade, ...], Meta(max_length=5)] = ()
    focuses: Annotated[tuple[Focus, ...], Meta(max_length=6)] = ()
    available_from: date | None = None
    available_until: date | None = None
    note: Note | None = None

    def vacancy(self, field: str) -> Vacancy:
        for name in ("available_from", "available_until"):
            _check_year(getattr(self, name), f"{field}.{name}")
        start, end = self.available_from, self.available_until
        if start is not None and end is not None and end < start:
            raise InvalidInput(
                "The last day lies before the first. Swap them.", field=f"{field}.available_until"
            )
        return Vacancy(
            care_form=self.care_form,
            count=self.count,
            sex=self.sex,
            room=self.room,
            care_grades=tuple(sorted(set(self.care_grades))),
            focuses=tuple(sorted(set(self.focuses))),
            available_from=start,
            available_until=end,
            note=(self.note or "").strip() or None,
        )


class ReportBody(_Strict, frozen=True, kw_only=True):
    """All that is free in a home; an empty list means that it is full."""

    vacancies: Annotated[tuple[VacancyLine, ...], Meta(max_length=MAX_LINES)]
    observed_at: Moment | None = None

    def lines(self) -> tuple[Vacancy, ...]:
        return tuple(
            line.vacancy(f"vacancies[{number}]") for number, line in enumerate(self.vacancies)
        )

    def observed(self) -> datetime | None:
        return _utc(self.observed_at, "observed_at")


class ReportRow(ReportBody, frozen=True, kw_only=True):
    """One row of a call that reports for many homes."""

    home_id: HomeId


class ReportsBody(_Strict, frozen=True, kw_only=True):
    """Rows are decoded one by one, so that a bad one does not sink the rest."""

    reports: Annotated[tuple[msgspec.Raw, ...], Meta(min_length=1, max_length=MAX_REPORTS)]


class CoordinatesBody(_Strict, frozen=True, kw_only=True):
    """WGS 84, degrees."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]

    def point(self) -> Point:
        return Point(float(self.latitude), float(self.longitude))


class AddressBody(_Strict, frozen=True, kw_only=True):
    street: Line | None = None
    postcode: Annotated[str, Meta(max_length=12, pattern=_LINE)] | None = None
    city: Line | None = None
    country: Annotated[str, Meta(pattern=rf"^[A-Z]{{2}}{_END}")] = "DE"

    def address(self) -> Address:
        return Address(
            street=_clean(self.street),
            postcode=_clean(self.postcode),
            city=_clean(self.city),
            country=self.country,
        )


class ContactBody(_Strict, frozen=True, kw_only=True):
    phone: Annotated[str, Meta(max_length=50, pattern=_LINE)] | None = None
    email: Annotated[str, Meta(max_length=200, pattern=_EMAIL)] | None = None
    website: Website | None = None
    person: Line | None = None
    hours: Line | None = None

    def contact(self) -> Contact:
        return Contact(
            phone=_clean(self.phone),
            email=_clean(self.email),
            website=_clean(self.website),
            person=_clean(self.person),
            hours=_clean(self.hours),
        )


class CostsBody(_Strict, frozen=True, kw_only=True):
    """Euros per month."""

    care_eur: Euros | None = None
    training_eur: Euros | None = None
    board_eur: Euros | None = None
    investment_eur: Euros | None = None

    def costs(self) -> Costs:
        return Costs(**msgspec.structs.asdict(self))


class StopBody(_Strict, frozen=True, kw_only=True):
    reason: StopReason
    until: date | None = None

    def stop(self) -> AdmissionStop:
        _check_year(self.until, "admission_stop.until")
        return AdmissionStop(reason=self.reason, until=self.until)


class HomeBody(_Strict, frozen=True, kw_only=True):
    """The whole profile of a home: what is left out is emptied. Address or coordinates are
    needed; without coordinates the address is looked up."""

    name: Name
    address: AddressBody | None = None
    coordinates: CoordinatesBody | None = None
    contact: ContactBody = ContactBody()
    capacity: dict[CareForm, Count] = {}
    costs: CostsBody = CostsBody()
    focuses: Annotated[tuple[Focus, ...], Meta(max_length=6)] = ()
    needs: Annotated[tuple[Need, ...], Meta(max_length=7)] = ()
    languages: Annotated[tuple[SpokenLanguage, ...], Meta(max_length=27)] = ()
    ownership: Ownership | None = None
    quality_url: Website | None = None
    waiting_list: WaitingList | None = None
    admission_stop: StopBody | None = None
    status: HomeStatus = HomeStatus.OPEN
    municipality: Annotated[str, Meta(pattern=rf"^[0-9]{{8}}{_END}")] | None = None


def is_email(text: str) -> bool:
    """Whether `text` looks like the address of a mailbox."""
    return len(text) <= 200 and re.match(_EMAIL, text) is not None


def _clean(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text is not None else None


def _check_year(day: date | None, field: str) -> None:
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput(
            f"The year must lie between {FIRST_YEAR} and {LAST_YEAR}. Check the date.", field=field
        )


def _utc(moment: datetime | None, field: str) -> datetime | None:
    _check_year(moment, field)
    return None if moment is None else moment.astimezone(UTC)
