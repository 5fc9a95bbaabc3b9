"""When an alert may speak: quiet hours and messages a day, in the region's time. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from vacancies.errors import InvalidInput
from vacancies.listings import REGION, local_date, midnight

MINUTES_OF_DAY = 24 * 60
MOST_A_DAY_RANGE = (1, 20)


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is sent from `quiet_from_minute` to `quiet_until_minute` of the day (the latter
    excluded), which may be of the next day; both the same: no quiet hours. Of `most_a_day`
    messages with news the last is the last of that day."""

    quiet_from_minute: int = 21 * 60
    quiet_until_minute: int = 7 * 60
    most_a_day: int = 3

    def check(self) -> None:
        """Raise `InvalidInput` for the first value that is out of its range."""
        for name in ("quiet_from_minute", "quiet_until_minute"):
            if not 0 <= getattr(self, name) < MINUTES_OF_DAY:
                raise InvalidInput("Give a time of the day, such as 21:00.", field=name)
        least, most = MOST_A_DAY_RANGE
        if not least <= self.most_a_day <= most:
            raise InvalidInput(
                f"Messages a day must be from {least} to {most}.", field="most_a_day"
            )

    def is_quiet(self, at: datetime) -> bool:
        local = at.astimezone(REGION)
        minute = local.hour * 60 + local.minute
        begin, end = self.quiet_from_minute, self.quiet_until_minute
        return begin <= minute < end if begin <= end else minute >= begin or minute < end

    def awake_at(self, at: datetime) -> datetime:
        """`at`, or the first moment after it that is not quiet (UTC)."""
        if not self.is_quiet(at):
            return at
        day = local_date(at)
        ends = (
            moment
            for later in (day, day + timedelta(days=1))
            for moment in _moments(later, self.quiet_until_minute)
        )
        return next(moment for moment in ends if moment > at and not self.is_quiet(moment))

    def next_moment(self, at: datetime, told_on: date | None, told_count: int) -> datetime:
        """When news may be told that are known `at`, after so many messages on that day."""
        while True:
            at = self.awake_at(at)
            day = local_date(at)
            if told_on != day or told_count < self.most_a_day:
                return at
            at = midnight(day + timedelta(days=1))


def _moments(day: date, minute: int) -> list[datetime]:
    """That minute of the day in UTC, earlier first: twice when summer time ends; when it begins,
    a time that is left out is that long after."""
    local = datetime.combine(day, time(minute // 60, minute % 60), REGION)
    return sorted({local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)})
