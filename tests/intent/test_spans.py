"""What was said of time is read exactly, and nothing is read that was not said."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intent.features import listed
from bot.intent.spans import LONGEST, Span, find

# Moments people write at: a Tuesday, a Friday, a Sunday, the days the clocks change, New Year's Eve.
TUESDAY = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BEFORE_SPRING = datetime(2027, 3, 26, 8, 0, tzinfo=UTC)  # Friday; Berlin changes on the 28th
BEFORE_AUTUMN = datetime(2026, 10, 23, 8, 0, tzinfo=UTC)  # Friday; Berlin changes on the 25th
NEW_YEARS_EVE = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)  # in Tokyo it is 2027 already
LEAP = datetime(2028, 2, 28, 12, 0, tzinfo=UTC)

BERLIN, NEW_YORK, TOKYO, LIMA = "Europe/Berlin", "America/New_York", "Asia/Tokyo", "America/Lima"


def minutes(number):
    return {"minutes": number}


def until(*local):
    return {"until": local}


def between(first, last):
    return {"from": first, "until": last}


def day(*parts):
    return (*parts, 23, 59)


CASES = [
    # How long.
    ("for two weeks", TUESDAY, BERLIN, minutes(20160)),
    ("2w", TUESDAY, BERLIN, minutes(20160)),
    ("2 w", TUESDAY, BERLIN, minutes(20160)),
    ("2 weeks", TUESDAY, BERLIN, minutes(20160)),
    ("I need figma for 2 weeks please", TUESDAY, BERLIN, minutes(20160)),
    ("two weeks of figma", TUESDAY, BERLIN, minutes(20160)),
    ("for a day", TUESDAY, BERLIN, minutes(1440)),
    ("for one day", TUESDAY, BERLIN, minutes(1440)),
    ("1d", TUESDAY, BERLIN, minutes(1440)),
    ("3 days", TUESDAY, BERLIN, minutes(4320)),
    ("for the next 10 days", TUESDAY, BERLIN, minutes(14400)),
    ("for the next two weeks", TUESDAY, BERLIN, minutes(20160)),
    ("for another week", TUESDAY, BERLIN, minutes(10080)),
    ("for about three days", TUESDAY, BERLIN, minutes(4320)),
    ("just for an hour", TUESDAY, BERLIN, minutes(60)),
    ("for 90 minutes", TUESDAY, BERLIN, minutes(90)),
    ("90 min", TUESDAY, BERLIN, minutes(90)),
    ("90min", TUESDAY, BERLIN, minutes(90)),
    ("2h", TUESDAY, BERLIN, minutes(120)),
    ("2 hrs", TUESDAY, BERLIN, minutes(120)),
    ("1.5 hours", TUESDAY, BERLIN, minutes(90)),
    ("an hour and a half", TUESDAY, BERLIN, minutes(90)),
    ("two and a half hours", TUESDAY, BERLIN, minutes(150)),
    ("half an hour", TUESDAY, BERLIN, minutes(30)),
    ("half a day", TUESDAY, BERLIN, minutes(720)),
    ("a fortnight", TUESDAY, BERLIN, minutes(20160)),
    ("for a month", TUESDAY, BERLIN, minutes(43200)),
    ("six months", TUESDAY, BERLIN, minutes(259200)),
    ("for a quarter", TUESDAY, BERLIN, minutes(129600)),
    ("for a year", TUESDAY, BERLIN, minutes(525600)),
    ("a couple of days", TUESDAY, BERLIN, minutes(2880)),
    ("2 weeks and 3 days", TUESDAY, BERLIN, minutes(24480)),
    ("a 2-week access", TUESDAY, BERLIN, minutes(20160)),
    ("FOR TWO WEEKS", TUESDAY, BERLIN, minutes(20160)),
    ("for twenty days", TUESDAY, BERLIN, minutes(28800)),
    ("for ninety days", TUESDAY, BERLIN, minutes(129600)),
    # Until when.
    ("until Friday", TUESDAY, BERLIN, until(*day(2026, 11, 27))),
    ("until friday", FRIDAY, BERLIN, until(*day(2026, 11, 27))),
    ("till fri", TUESDAY, BERLIN, until(*day(2026, 11, 27))),
    ("until next Friday", TUESDAY, BERLIN, until(*day(2026, 12, 4))),
    ("until next Friday", FRIDAY, BERLIN, until(*day(2026, 12, 4))),
    ("until this Friday", TUESDAY, BERLIN, until(*day(2026, 11, 27))),
    ("until this coming Friday", TUESDAY, BERLIN, None),
    ("until coming Friday", FRIDAY, BERLIN, until(*day(2026, 12, 4))),
    ("by Friday", TUESDAY, BERLIN, until(*day(2026, 11, 27))),
    ("through Monday", TUESDAY, BERLIN, until(*day(2026, 11, 30))),
    ("up to Sunday", TUESDAY, BERLIN, until(*day(2026, 11, 29))),
    ("until today", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("until tomorrow", TUESDAY, BERLIN, until(*day(2026, 11, 25))),
    ("until the day after tomorrow", TUESDAY, BERLIN, until(*day(2026, 11, 26))),
    ("until 5pm", TUESDAY, BERLIN, until(2026, 11, 24, 17, 0)),
    ("until 5 pm", TUESDAY, NEW_YORK, until(2026, 11, 24, 17, 0)),
    ("until 5 p.m.", TUESDAY, BERLIN, until(2026, 11, 24, 17, 0)),
    ("until 17:30", TUESDAY, BERLIN, until(2026, 11, 24, 17, 30)),
    ("until 12pm", TUESDAY, BERLIN, until(2026, 11, 24, 12, 0)),
    ("until noon", TUESDAY, BERLIN, until(2026, 11, 24, 12, 0)),
    ("until midnight", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("until tomorrow 5pm", TUESDAY, BERLIN, until(2026, 11, 25, 17, 0)),
    ("until 5pm tomorrow", TUESDAY, BERLIN, until(2026, 11, 25, 17, 0)),
    ("until Friday at noon", TUESDAY, BERLIN, until(2026, 11, 27, 12, 0)),
    ("until 9am on Friday", TUESDAY, BERLIN, until(2026, 11, 27, 9, 0)),
    ("till end of month", TUESDAY, BERLIN, until(*day(2026, 11, 30))),
    ("until the end of the month", TUESDAY, BERLIN, until(*day(2026, 11, 30))),
    ("until end of next month", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until eom", TUESDAY, BERLIN, until(*day(2026, 11, 30))),
    ("until the end of the week", TUESDAY, BERLIN, until(*day(2026, 11, 29))),
    ("until eow", TUESDAY, BERLIN, until(*day(2026, 11, 29))),
    ("until eod", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("until the end of the day", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("until the end of next week", TUESDAY, BERLIN, until(*day(2026, 12, 6))),
    ("until the end of the quarter", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until end of the year", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until end of December", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until the end of February", LEAP, BERLIN, until(*day(2028, 2, 29))),
    ("until the weekend", TUESDAY, BERLIN, until(*day(2026, 11, 27))),
    ("through 31 Dec", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until December 31", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until Dec. 31", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until December 31st, 2026", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until 31st of December", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until 3 May", TUESDAY, BERLIN, until(*day(2027, 5, 3))),
    ("until May 3rd", TUESDAY, NEW_YORK, until(*day(2027, 5, 3))),
    ("until 31.12.", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until 31.12.2026", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until 31.12.26", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until 12/31", TUESDAY, NEW_YORK, until(*day(2026, 12, 31))),
    ("until 31/12/2026", TUESDAY, LIMA, until(*day(2026, 12, 31))),
    ("until 2026-12-31", TUESDAY, BERLIN, until(*day(2026, 12, 31))),
    ("until 2027-02-28", TUESDAY, TOKYO, until(*day(2027, 2, 28))),
    ("until the 15th", TUESDAY, BERLIN, until(*day(2026, 12, 15))),
    ("until the 30th", TUESDAY, BERLIN, until(*day(2026, 11, 30))),
    ("for the rest of the week", TUESDAY, BERLIN, until(*day(2026, 11, 29))),
    ("for the rest of the day", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("from now until Friday", TUESDAY, BERLIN, until(*day(2026, 11, 27))),
    # From when to when.
    ("Dec 24-31", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("Dec 24 - 31", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("Dec 24\u201331", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("Dec 24 to 31", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("24-31 Dec", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("24.-31.12.", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("24.12. - 31.12.", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("December 1st - 5th", TUESDAY, BERLIN, between((2026, 12, 1, 0, 0), day(2026, 12, 5))),
    ("from 1st to 5th of December", TUESDAY, BERLIN, between((2026, 12, 1, 0, 0), day(2026, 12, 5))),
    ("from Dec 24 to Jan 2", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2027, 1, 2))),
    ("Dec 24 - Jan 2", NEW_YEARS_EVE, BERLIN, until(*day(2027, 1, 2))),
    ("between Dec 1 and Dec 5", TUESDAY, BERLIN, between((2026, 12, 1, 0, 0), day(2026, 12, 5))),
    ("Jan 25-27", TUESDAY, BERLIN, between((2027, 1, 25, 0, 0), day(2027, 1, 27))),
    ("Nov 20-26", TUESDAY, BERLIN, until(*day(2026, 11, 26))),
    ("3 to 10 May", TUESDAY, BERLIN, between((2027, 5, 3, 0, 0), day(2027, 5, 10))),
    ("2026-12-24 to 2026-12-31", TUESDAY, BERLIN, between((2026, 12, 24, 0, 0), day(2026, 12, 31))),
    ("from Monday to Wednesday", TUESDAY, BERLIN, between((2026, 11, 30, 0, 0), day(2026, 12, 2))),
    ("Mon-Wed", TUESDAY, BERLIN, between((2026, 11, 30, 0, 0), day(2026, 12, 2))),
    ("between Monday and Wednesday", SUNDAY, BERLIN, between((2026, 11, 23, 0, 0), day(2026, 11, 25))),
    ("from Friday to Monday", TUESDAY, BERLIN, between((2026, 11, 27, 0, 0), day(2026, 11, 30))),
    ("from today to Friday", TUESDAY, BERLIN, until(*day(2026, 11, 27))),
    ("from tomorrow until Friday", TUESDAY, BERLIN, between((2026, 11, 25, 0, 0), day(2026, 11, 27))),
    ("starting Monday for two weeks", TUESDAY, BERLIN, between((2026, 11, 30, 0, 0), day(2026, 12, 13))),
    ("two weeks from Monday", TUESDAY, BERLIN, between((2026, 11, 30, 0, 0), day(2026, 12, 13))),
    ("one week starting Dec 1", TUESDAY, BERLIN, between((2026, 12, 1, 0, 0), day(2026, 12, 7))),
    ("from 2pm to 5pm", TUESDAY, BERLIN, between((2026, 11, 24, 14, 0), (2026, 11, 24, 17, 0))),
    ("tomorrow 9:00-11:00", TUESDAY, BERLIN, between((2026, 11, 25, 9, 0), (2026, 11, 25, 11, 0))),
    ("tomorrow", TUESDAY, BERLIN, between((2026, 11, 25, 0, 0), day(2026, 11, 25))),
    ("today", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("for today", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("tonight", TUESDAY, BERLIN, until(*day(2026, 11, 24))),
    ("this week", TUESDAY, BERLIN, until(*day(2026, 11, 29))),
    ("next week", TUESDAY, BERLIN, between((2026, 11, 30, 0, 0), day(2026, 12, 6))),
    ("next week", SUNDAY, BERLIN, between((2026, 11, 23, 0, 0), day(2026, 11, 29))),
    ("over the weekend", TUESDAY, BERLIN, between((2026, 11, 28, 0, 0), day(2026, 11, 29))),
    ("this weekend", SUNDAY, BERLIN, until(*day(2026, 11, 22))),
    ("next weekend", TUESDAY, BERLIN, between((2026, 12, 5, 0, 0), day(2026, 12, 6))),
    ("next month", TUESDAY, BERLIN, between((2026, 12, 1, 0, 0), day(2026, 12, 31))),
    ("in December", TUESDAY, BERLIN, between((2026, 12, 1, 0, 0), day(2026, 12, 31))),
    ("in January", TUESDAY, BERLIN, between((2027, 1, 1, 0, 0), day(2027, 1, 31))),
    ("on Friday", TUESDAY, BERLIN, between((2026, 11, 27, 0, 0), day(2026, 11, 27))),
    ("on Friday", FRIDAY, BERLIN, until(*day(2026, 11, 27))),
    # Zones and the days the clocks change.
    ("until tomorrow", NEW_YEARS_EVE, TOKYO, until(*day(2027, 1, 2))),
    ("until tomorrow", NEW_YEARS_EVE, BERLIN, until(*day(2027, 1, 1))),
    ("until tomorrow", NEW_YEARS_EVE, NEW_YORK, until(*day(2027, 1, 1))),
    ("until Sunday", BEFORE_SPRING, BERLIN, until(*day(2027, 3, 28))),
    ("until Monday 9am", BEFORE_SPRING, BERLIN, until(2027, 3, 29, 9, 0)),
    ("over the weekend", BEFORE_SPRING, BERLIN, between((2027, 3, 27, 0, 0), day(2027, 3, 28))),
    ("over the weekend", BEFORE_AUTUMN, BERLIN, between((2026, 10, 24, 0, 0), day(2026, 10, 25))),
    ("until Sunday", BEFORE_AUTUMN, NEW_YORK, until(*day(2026, 10, 25))),
    ("until March 28, 2027", TUESDAY, BERLIN, until(*day(2027, 3, 28))),
    # Nothing was said of time.
    ("I may need access", TUESDAY, BERLIN, None),
    ("I need figma", TUESDAY, BERLIN, None),
    ("the sun is out", TUESDAY, BERLIN, None),
    ("march on", TUESDAY, BERLIN, None),
    ("in two weeks", TUESDAY, BERLIN, None),
    ("two weeks ago", TUESDAY, BERLIN, None),
    ("for the last two weeks", TUESDAY, BERLIN, None),
    ("since Monday", TUESDAY, BERLIN, None),
    ("I asked Luis Friday", TUESDAY, BERLIN, None),
    ("until I am done", TUESDAY, BERLIN, None),
    ("room 3 and 4", TUESDAY, BERLIN, None),
    ("ticket 2026-99-99", TUESDAY, BERLIN, None),
    ("figma, version 3.2", TUESDAY, BERLIN, None),
    ("", TUESDAY, BERLIN, None),
    # Said, and refused.
    ("until yesterday", TUESDAY, BERLIN, "past"),
    ("until Nov 20", TUESDAY, BERLIN, "passed"),
    ("Nov 10-20", TUESDAY, BERLIN, "passed"),
    ("until 2020-01-01", TUESDAY, BERLIN, "past"),
    ("until 5pm", FRIDAY.replace(hour=20), BERLIN, "past"),
    ("until 31.12.2122", TUESDAY, BERLIN, "two years"),
    ("until December 31, 2029", TUESDAY, BERLIN, "two years"),
    ("for 3 years", TUESDAY, BERLIN, "two years"),
    ("for 999999 months", TUESDAY, BERLIN, "two years"),
    ("until 3/4", TUESDAY, BERLIN, "month as a word"),
    ("for a few days", TUESDAY, BERLIN, "How many days"),
    ("for several weeks", TUESDAY, BERLIN, "How many weeks"),
    ("2-3 weeks", TUESDAY, BERLIN, "How many weeks"),
    ("two or three days", TUESDAY, BERLIN, "How many days"),
    ("for 3 working days", TUESDAY, BERLIN, "which day"),
    ("until next week", TUESDAY, BERLIN, "which day"),
    ("until December", TUESDAY, BERLIN, "which day"),
    ("from tomorrow", TUESDAY, BERLIN, "not when it ends"),
    ("2026-12-31 to 2026-12-24", TUESDAY, BERLIN, "before the start"),
]


def said(value, zone):
    """The value as it stands in the person's own time."""
    return {
        key: moment if key == "minutes" else local(datetime.fromisoformat(moment), zone)
        for key, moment in value.items()
    }


def local(moment, zone):
    assert moment.utcoffset() == timedelta(0)
    at = moment.astimezone(ZoneInfo(zone))
    return (at.year, at.month, at.day, at.hour, at.minute)


@pytest.mark.parametrize(("text", "now", "zone", "expected"), CASES)
def test_what_was_said_is_read_exactly(text, now, zone, expected):
    span = find(text, now=now, time_zone=zone)
    if expected is None:
        assert span is None
    elif isinstance(expected, str):
        assert span is not None
        assert span.value is None
        assert expected in span.problem
    else:
        assert span is not None
        assert span.value is not None, span.problem
        assert said(span.value, zone) == expected


def value(text, now=TUESDAY, time_zone=BERLIN, answer=False):
    span = find(text, now=now, time_zone=time_zone, answer=answer)
    assert span is not None
    return span.value


def test_the_end_of_a_day_follows_the_clock_changes():
    summer = find("until Saturday", now=BEFORE_AUTUMN, time_zone=BERLIN)
    assert summer == Span({"until": "2026-10-24T21:59:00+00:00"}, text="until saturday")
    assert value("until Sunday", now=BEFORE_AUTUMN) == {"until": "2026-10-25T22:59:00+00:00"}


def test_a_bare_day_is_an_end_only_as_an_answer():
    assert find("friday", now=TUESDAY, time_zone=BERLIN) is None
    assert said(value("friday", answer=True), BERLIN) == until(*day(2026, 11, 27))
    assert find("2", now=TUESDAY, time_zone=BERLIN, answer=True) is None


def test_an_unknown_zone_is_read_as_utc():
    for zone in ("No/Where", "../etc/passwd", ""):
        assert value("until Friday", time_zone=zone) == {"until": "2026-11-27T23:59:00+00:00"}


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
ZONES = st.sampled_from([BERLIN, NEW_YORK, TOKYO, LIMA, "UTC", "Australia/Lord_Howe", "Pacific/Kiritimati"])
WORDS = st.sampled_from(
    sorted(
        listed(
            "from until till to for in the next this last end of week month year day days weeks hours 1 2 3 "
            "10 31 24th 99 2w 3/4 12/31 31.12. 24.-31.12. 2027-02-29 Dec Jan Feb 29 30 may friday mon sunday "
            "tomorrow today a an few couple and half - , . 5pm 17:00 25:99 noon weekend starting on by "
            "between rest hour quarter eom"
        )
    )
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=12).map(" ".join))


@given(TEXTS, MOMENTS, ZONES, st.booleans())
def test_whatever_is_said_never_breaks_and_always_ends_in_the_next_two_years(text, now, zone, answer):
    span = find(text, now=now, time_zone=zone, answer=answer)
    if span is None or span.value is None:
        assert span is None or span.problem
        return
    if "minutes" in span.value:
        assert 0 < int(span.value["minutes"]) <= LONGEST // timedelta(minutes=1)
        return
    end = datetime.fromisoformat(str(span.value["until"]))
    assert now < end <= now + LONGEST
    if "from" in span.value:
        assert now < datetime.fromisoformat(str(span.value["from"])) < end


@given(
    st.integers(0, 700),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y", "%b %d %Y"]),
    MOMENTS,
    ZONES,
)
def test_a_written_date_comes_back_as_the_end_of_that_day(ahead, form, now, zone):
    today: date = now.astimezone(ZoneInfo(zone)).date()
    meant = today + timedelta(days=ahead)
    end = datetime.combine(meant, time(23, 59), ZoneInfo(zone)).astimezone(UTC)
    found = value(f"until {meant.strftime(form)}", now=now, time_zone=zone)
    assert found == ({"until": end.isoformat()} if end > now else None)  # None: in the last minute of the day


@given(st.integers(1, 300), st.integers(0, 300), MOMENTS, ZONES)
def test_a_written_range_comes_back(ahead, longer, now, zone):
    first = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=ahead)
    last = first + timedelta(days=longer)
    found = value(f"from {first.isoformat()} to {last.isoformat()}", now=now, time_zone=zone)
    assert said(found, zone) == between(
        (first.year, first.month, first.day, 0, 0), day(last.year, last.month, last.day)
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("until Friday, 4 December", "2026-12-04T22:59:00+00:00"),
        ("until Friday the 4th", "2026-12-04T22:59:00+00:00"),
        ("until Friday next week", "2026-12-04T22:59:00+00:00"),
        ("until Friday for 3 of us", "2026-11-27T22:59:00+00:00"),
    ],
)
def test_a_weekday_with_its_date_is_that_date(text: str, value: str) -> None:
    found = find(text, now=datetime(2026, 11, 24, 9, 30, tzinfo=UTC), time_zone="Europe/Berlin")
    assert found is not None
    assert found.value == {"until": value}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("until Friday, 5 December", "5 December 2026 is a Saturday."),
        ("until the 28th of next month", "Until which day exactly?"),
    ],
)
def test_what_contradicts_itself_or_is_counted_from_elsewhere_is_asked(text: str, problem: str) -> None:
    found = find(text, now=datetime(2026, 11, 24, 9, 30, tzinfo=UTC), time_zone="Europe/Berlin")
    assert found is not None
    assert (found.value, found.problem) == (None, problem)
