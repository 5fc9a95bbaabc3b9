"""How homes are to report, by municipality: the policy with the longest prefix of the
municipality key (AGS) holds, as a whole. Times of day are those of the region."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import msgspec

from providers.payloads import is_email
from vacancies.database import Connection, Pool
from vacancies.errors import InvalidInput
from vacancies.listings import REGION
from vacancies.models import SMALL_HOME_PLACES

_MINUTES_OF_DAY = 24 * 60
_MOST_HOURS = 366 * 24
MOST_DETAIL_PLACES = 1000
MONDAY_TO_SATURDAY = (1, 2, 3, 4, 5, 6)


class ReportingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A report is fresh for `fresh_hours`, so the next one is due before; it is ageing up to
    `ageing_hours` and stale from then on. Reminders go out on `weekdays` (1 is Monday) from
    `from_minute` to `until_minute` of the day, the latter excluded. Those who are told later are
    told so many hours after the reminder; the municipality only where there is an address.
    Of homes with fewer licensed places than `detail_places` the public sees how many are free,
    and not for whom. With `approve_new` homes that providers create are shown once a desk has
    approved them."""

    fresh_hours: int = 24
    ageing_hours: int = 72
    from_minute: int = 7 * 60
    until_minute: int = 18 * 60
    weekdays: tuple[int, ...] = MONDAY_TO_SATURDAY
    admins_after_hours: int = 24
    municipality_after_hours: int = 72
    municipality_email: str | None = None
    detail_places: int = SMALL_HOME_PLACES
    approve_new: bool = False

    @property
    def fresh_for(self) -> timedelta:
        return timedelta(hours=self.fresh_hours)

    def check(self) -> None:
        """Raise `InvalidInput` for the first value that is out of its range."""
        for name in (
            "fresh_hours",
            "ageing_hours",
            "admins_after_hours",
            "municipality_after_hours",
        ):
            if not 1 <= getattr(self, name) <= _MOST_HOURS:
                raise InvalidInput(f"{name} must be from 1 to {_MOST_HOURS}.", field=name)
        if self.ageing_hours < self.fresh_hours:
            raise InvalidInput(
                "ageing_hours cannot be less than fresh_hours: name both.", field="ageing_hours"
            )
        if not 0 <= self.from_minute < self.until_minute <= _MINUTES_OF_DAY:
            raise InvalidInput("Reminders must end later in the day than they begin.", field="from")
        if not self.weekdays or not set(self.weekdays) <= set(range(1, 8)):
            raise InvalidInput("Name at least one day, from mon to sun.", field="weekdays")
        if self.municipality_after_hours < self.admins_after_hours:
            raise InvalidInput(
                "The municipality cannot be told before the provider.",
                field="municipality_after_hours",
            )
        if not 0 <= self.detail_places <= MOST_DETAIL_PLACES:
            raise InvalidInput(
                f"detail_places must be from 0 to {MOST_DETAIL_PLACES}.", field="detail_places"
            )
        if self.municipality_email is not None and not is_email(self.municipality_email):
            raise InvalidInput("The address must look like name@town.de.", field="email")

    def permits(self, at: datetime) -> bool:
        """Whether mail may go out at `at`."""
        local = at.astimezone(REGION)
        minute = local.hour * 60 + local.minute
        return (
            local.isoweekday() in self.weekdays and self.from_minute <= minute < self.until_minute
        )

    def next_permitted(self, at: datetime) -> datetime:
        """The first moment from `at` on, to the minute, at which mail may go out (UTC)."""
        if self.permits(at):
            return at
        day = at.astimezone(REGION).date()
        while True:
            if day.isoweekday() in self.weekdays:
                moment = self.opening(day)
                if moment >= at and self.permits(moment):
                    return moment
            day += timedelta(days=1)

    def opening(self, day: date) -> datetime:
        return moment_of(day, self.from_minute)

    def closing(self, day: date) -> datetime:
        return moment_of(day, self.until_minute)


def moment_of(day: date, minute: int) -> datetime:
    """That minute of a day in the region, 1440 being the next midnight, in UTC. One that is left
    out when summer time begins is the same time after; of one that comes twice it is the first."""
    day += timedelta(days=minute // _MINUTES_OF_DAY)
    minute %= _MINUTES_OF_DAY
    return datetime.combine(day, time(minute // 60, minute % 60), REGION).astimezone(UTC)


class Policies:
    """All policies of a deployment, by prefix."""

    def __init__(self, stored: Mapping[str, ReportingPolicy]) -> None:
        self._stored = {"": ReportingPolicy(), **stored}

    def of(self, municipality: str | None) -> ReportingPolicy:
        """What holds for homes of `municipality` (AGS; None while a home has none)."""
        key = municipality or ""
        for length in range(len(key), 0, -1):
            if (found := self._stored.get(key[:length])) is not None:
                return found
        return self._stored[""]

    def shortest_period(self) -> timedelta:
        return min(policy.fresh_for for policy in self._stored.values())

    def items(self) -> list[tuple[str, ReportingPolicy]]:
        """By prefix, that of the whole deployment first."""
        return sorted(self._stored.items())


_COLUMNS = ReportingPolicy.__struct_fields__


def _policy(row: asyncpg.Record) -> ReportingPolicy:
    return msgspec.convert({name: row[name] for name in _COLUMNS}, ReportingPolicy)


async def select_policies(connection: Connection | Pool) -> Policies:
    rows = await connection.fetch("SELECT * FROM reporting_policy")
    return Policies({row["prefix"]: _policy(row) for row in rows})


async def record_policy(connection: Connection, prefix: str, policy: ReportingPolicy) -> None:
    """Set the policy for municipality keys that begin with `prefix`, from now on: reminders that
    were planned but not begun are planned anew. Raises `InvalidInput`."""
    if len(prefix) > 12 or not (prefix == "" or (prefix.isascii() and prefix.isdigit())):
        raise InvalidInput(
            "Give the beginning of a municipality key, at most 12 digits, or nothing for all.",
            field="prefix",
        )
    policy.check()
    async with connection.transaction():
        await connection.execute(
            f"INSERT INTO reporting_policy (prefix, {', '.join(_COLUMNS)})"
            f" VALUES ($1, {', '.join(f'${n}' for n in range(2, len(_COLUMNS) + 2))})"
            " ON CONFLICT (prefix) DO UPDATE SET updated_at = now(),"
            f" {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS)}",
            prefix,
            *(getattr(policy, name) for name in _COLUMNS),
        )
        # One that a process works on just now, or has begun with, keeps its row: it names mails.
        await connection.execute(
            "DELETE FROM reminder WHERE closed_at IS NULL AND reminded_at IS NULL"
            " AND told = '{}' AND failures = 0 AND claim IS NULL"
        )
