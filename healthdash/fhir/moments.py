"""Dates of FHIR, which may be a year, a month, a day or an instant (R4, 2.24.0.1 date and dateTime)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from healthdash.errors import InvalidInput

from .plain import Json, part, text_in

__all__ = ["Moment", "asked", "moment_of", "years_between"]

_FORM = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(T.*)?")


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When something was: from its first to its last possible instant, both in UTC.

    The days are those of the record's own clock: 06:30 in Shanghai is the evening before in UTC.
    """

    start: datetime
    end: datetime
    first_day: date = field(compare=False)
    last_day: date = field(compare=False)

    @property
    def day(self) -> str:
        """The ISO date of its beginning, as the record says it."""
        return self.first_day.isoformat()

    def is_before(self, limit: Moment) -> bool:
        """Say whether all of it was before the beginning of another: of a day by days, else by instants."""
        if limit.start == limit.end:
            return self.end < limit.start
        return self.last_day < limit.first_day


@lru_cache(maxsize=4096)
def moment_of(text: str) -> Moment | None:
    """Return a date of FHIR; None where it is none."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    try:
        if found[4]:
            instant = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
            instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
            in_utc, day = instant.astimezone(UTC), instant.date()
            return Moment(in_utc, in_utc, day, day)
        year, month = int(found[1]), int(found[2] or 1)
        start = datetime(year, month, int(found[3] or 1), tzinfo=UTC)
        if found[3]:
            following = start + timedelta(days=1)
        elif found[2]:
            following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        else:
            following = datetime(year + 1, 1, 1, tzinfo=UTC)
        end = following - timedelta(microseconds=1)
        return Moment(start, end, start.date(), end.date())
    except (ValueError, OverflowError):
        return None


def of_resource(resource: Json, names: tuple[str, ...]) -> Moment | None:
    """Return the first of some elements that is a date, or the end of a period."""
    for name in names:
        period = part(resource, name)
        for text in (text_in(resource, name), text_in(period, "end"), text_in(period, "start")):
            if text and (found := moment_of(text)):
                return found
    return None


def asked(text: str) -> Moment | None:
    """Return the date or instant before which values count; None: the last ones.

    Raises
    ------
    InvalidInput
        It is no date.
    """
    if not text:
        return None
    found = moment_of(text)
    if found is None:
        raise InvalidInput("expected a date such as 2019-05-01 as the moment", hint="Write year-month-day.")
    return found


def years_between(birth: str, when: date) -> int | None:
    """Return the age in whole years; None where the date of birth is none, or later."""
    found = moment_of(birth)
    if found is None:
        return None
    born = found.first_day
    age = when.year - born.year - ((when.month, when.day) < (born.month, born.day))
    return age if 0 <= age <= 130 else None
