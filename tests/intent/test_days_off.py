"""The days somebody wants off are read exactly, and where they are not all said, they are asked for."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intent.days_off import BEGINS, FAR, HALF, LONG, ONE, PAST, WHICH, Days, find, on_day

# Moments people write at: a Tuesday, a Saturday, New Year's Eve, and the eve of the days the clocks change.
TUESDAY = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
MONDAY_BEFORE = TUESDAY - timedelta(days=1)
AFTERNOON = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
NEW_YEARS_EVE = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)  # in Tokyo it is 2027 already
BEFORE_AUTUMN = datetime(2026, 10, 23, 8, 0, tzinfo=UTC)  # Friday; Berlin changes on the 25th
BEFORE_SPRING = datetime(2027, 3, 26, 8, 0, tzinfo=UTC)  # Friday; Berlin changes on the 28th

BERLIN, NEW_YORK, TOKYO = "Europe/Berlin", "America/New_York", "Asia/Tokyo"
SANTIAGO = "America/Santiago"  # its days of change have no midnight, or two
ZONES = (
    BERLIN,
    NEW_YORK,
    TOKYO,
    SANTIAGO,
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Africa/Cairo",
    "UTC",
)
STARTS, UNTIL_WHEN, HOW_MANY = "not when it ends", "Until which day exactly?", "How many days"


def days(first, last=None, *halves):
    return {"first": first, "last": last or first, **dict.fromkeys(halves, True)}


AFTERNOON_OFF, MORNING_OFF = "half_first", "half_last"
FRIDAY, THURSDAY, WEDNESDAY = "2026-11-27", "2026-11-26", "2026-11-25"
MONDAY, NEXT_WEEK = "2026-11-30", days("2026-11-30", "2026-12-06")
CHRISTMAS = days("2026-12-24", "2026-12-31")

READ = [
    # From a day, for so long.
    ("two weeks off from the 21st", days("2026-12-21", "2027-01-03")),
    ("I'd like two weeks off from the 21st", days("2026-12-21", "2027-01-03")),
    ("2 weeks from the 21st", days("2026-12-21", "2027-01-03")),
    ("two weeks' leave from 7 December", days("2026-12-07", "2026-12-20")),
    ("two weeks starting on 21 December please", days("2026-12-21", "2027-01-03")),
    ("off Dec 21 for two weeks", days("2026-12-21", "2027-01-03")),
    ("from the 30th of November for a week", NEXT_WEEK),
    ("a week from Monday", NEXT_WEEK),
    ("Monday for a week", NEXT_WEEK),
    ("3 days starting Thursday", days(THURSDAY, "2026-11-28")),
    ("3 days off starting on Thursday", days(THURSDAY, "2026-11-28")),
    ("starting December 5, 3 days", days("2026-12-05", "2026-12-07")),
    ("a couple of days from Thursday", days(THURSDAY, FRIDAY)),
    ("1.5 days starting Thursday", days(THURSDAY, FRIDAY, MORNING_OFF)),
    ("one and a half days from Thursday", days(THURSDAY, FRIDAY, MORNING_OFF)),
    ("two and a half days from Thursday", days(THURSDAY, "2026-11-28", MORNING_OFF)),
    ("11 days off until Dec 4", days("2026-11-24", "2026-12-04")),
    # From a day to a day.
    ("Dec 24-31", CHRISTMAS),
    ("24.-31.12.", CHRISTMAS),
    ("Dec 24th to the 31st", CHRISTMAS),
    ("from Dec 24th through to Dec 31st", None),
    ("2026-12-24 to 2026-12-31", CHRISTMAS),
    ("from Christmas Eve till New Year's Eve", CHRISTMAS),
    ("I have 10 days of vacation left, I'd like Dec 24-31", CHRISTMAS),
    ("I asked on Monday whether I could have Dec 24-31 off", CHRISTMAS),
    ("Dec 24-31, back on Jan 4", CHRISTMAS),
    ("from Monday to Wednesday", days(MONDAY, "2026-12-02")),
    ("Mon-Wed", days(MONDAY, "2026-12-02")),
    ("I need Monday to Wednesday off, please decide by Friday", days(MONDAY, "2026-12-02")),
    ("next week, from Monday to Wednesday", days(MONDAY, "2026-12-02")),
    ("from Monday 7 December to Friday 18 December", days("2026-12-07", "2026-12-18")),
    ("Monday 7th to Friday 11th", days("2026-12-07", "2026-12-11")),
    ("from the 21st to the 28th", days("2026-12-21", "2026-12-28")),
    ("from the 28th to the 3rd", days("2026-11-28", "2026-12-03")),
    ("from the 21st until the 28th of January", days("2027-01-21", "2027-01-28")),
    ("from 24 December to the 3rd", days("2026-12-24", "2027-01-03")),
    ("from 21 December 2026 until 3 January 2027", days("2026-12-21", "2027-01-03")),
    ("until Friday", days("2026-11-24", FRIDAY)),
    ("off until Friday 18 December", days("2026-11-24", "2026-12-18")),
    ("the rest of the week off", days("2026-11-24", "2026-11-29")),
    # Whole weeks.
    ("next week", NEXT_WEEK),
    ("I want all of next week off", NEXT_WEEK),
    ("a week off next week", NEXT_WEEK),
    ("this week", days("2026-11-24", "2026-11-29")),
    ("the weekend off", days("2026-11-28", "2026-11-29")),
    ("the week of Dec 14", days("2026-12-14", "2026-12-20")),
    ("for the week of Wednesday 16 December", days("2026-12-14", "2026-12-20")),
    ("the week of the 14th", days("2026-12-14", "2026-12-20")),
    ("the week beginning 14 December", days("2026-12-14", "2026-12-20")),
    ("the week of Dec 14-18", days("2026-12-14", "2026-12-18")),
    ("the week of Nov 24", days("2026-11-24", "2026-11-29")),
    # Single days.
    ("tomorrow", days(WEDNESDAY)),
    ("today", days("2026-11-24")),
    ("I'm sick today, please enter a sick day", days("2026-11-24")),
    ("next Friday off", days("2026-12-04")),
    ("Morning, I'd like Friday off", days(FRIDAY)),
    ("off Thursday, back on Friday", days(THURSDAY)),
    ("all day Friday", days(FRIDAY)),
    ("a day off on 5 January", days("2027-01-05")),
    ("a day's leave tomorrow", days(WEDNESDAY)),
    ("can I have the 22nd off as well", days("2026-12-22")),
    ("24 December", days("2026-12-24")),
    ("Friday, 27 November 2026", days(FRIDAY)),
    ("Christmas Eve off", days("2026-12-24")),
    ("wed off", days(WEDNESDAY)),
    # Days that follow each other.
    ("Thursday and Friday off", days(THURSDAY, FRIDAY)),
    ("Monday and Tuesday", days(MONDAY, "2026-12-01")),
    ("tomorrow and the day after tomorrow", days(WEDNESDAY, THURSDAY)),
    ("24 and 25 December", days("2026-12-24", "2026-12-25")),
    ("Dec 23, 24 and 25", days("2026-12-23", "2026-12-25")),
    ("the 21st and 22nd", days("2026-12-21", "2026-12-22")),
    # Halves.
    ("Friday afternoon", days(FRIDAY, None, AFTERNOON_OFF)),
    ("Good morning, could I have Friday afternoon off?", days(FRIDAY, None, AFTERNOON_OFF)),
    ("Friday morning", days(FRIDAY, None, MORNING_OFF)),
    ("Friday off in the morning", days(FRIDAY, None, MORNING_OFF)),
    ("on the afternoon of 5 January", days("2027-01-05", None, AFTERNOON_OFF)),
    ("tomorrow morning", days(WEDNESDAY, None, MORNING_OFF)),
    ("this afternoon", days("2026-11-24", None, AFTERNOON_OFF)),
    ("half a day on Friday", days(FRIDAY, None, AFTERNOON_OFF)),
    ("half-day on Friday morning", days(FRIDAY, None, MORNING_OFF)),
    ("0.5 days on Friday", days(FRIDAY, None, AFTERNOON_OFF)),
    ("half of Friday", days(FRIDAY, None, AFTERNOON_OFF)),
    ("Friday 12:00-18:00", days(FRIDAY, None, AFTERNOON_OFF)),
    ("from Wednesday noon to Friday", days(WEDNESDAY, FRIDAY, AFTERNOON_OFF)),
    ("from Wednesday afternoon to Friday morning", days(WEDNESDAY, FRIDAY, AFTERNOON_OFF, MORNING_OFF)),
    ("from Wednesday morning to Friday afternoon", days(WEDNESDAY, FRIDAY)),
    ("off until noon on Friday", days("2026-11-24", FRIDAY, MORNING_OFF)),
    ("Thursday and Friday morning", days(THURSDAY, FRIDAY, MORNING_OFF)),
    ("from tomorrow 9am to Friday 5pm", days(WEDNESDAY, FRIDAY)),
]

ASKED_BACK = [
    ("a few days", HOW_MANY),
    ("some days next week", HOW_MANY),
    ("3 working days", UNTIL_WHEN),
    ("3/4/2027", "month as a word"),
    ("off on 3/4/2027", "month as a word"),
    ("sometime in March", WHICH),
    ("some time off in March", WHICH),
    ("in December", WHICH),
    ("next month", WHICH),
    ("a month off from Dec 1", WHICH),
    ("sometime next week", WHICH),
    ("late next week", WHICH),
    ("at the end of next week", WHICH),
    ("the first half of next week", WHICH),
    ("two days next week", WHICH),
    ("a day off next week", WHICH),
    ("two weeks, Dec 21", WHICH),
    ("two weeks in August", WHICH),
    ("from tomorrow", STARTS),
    ("two weeks off until Jan 3", BEGINS),
    ("yesterday", PAST),
    ("2020-01-01", PAST),
    ("Nov 20", "20 November 2026 has passed"),
    ("Nov 20-26", "20 November 2026 has passed"),
    ("20-26 November", "20 November 2026 has passed"),
    ("2026-11-20 to 2026-11-26", "20 November 2026 has passed"),
    ("December 31, 2029", FAR),
    ("from 2027-01-01 to 2028-06-01", LONG),
    ("2026-12-31 to 2026-12-24", "before the start"),
    ("Thursday 27 November", "27 November 2026 is a Friday"),
    ("Friday and Monday off", ONE),
    ("Dec 24 and 28", ONE),
    ("the 21st and the 28th", ONE),
    ("Dec 24-31 and Jan 4-8", ONE),
    ("next week or the week after", ONE),
    ("next week except Wednesday", ONE),
    ("every Friday", ONE),
    ("Thursday and Friday next week", ONE),  # this Thursday, by what is known of weekdays
    ("2 hours on Friday", HALF),
    ("4 hours tomorrow", HALF),
    ("tomorrow 9:00-11:00", HALF),
    ("Friday after 2pm", HALF),
    ("next week after 2pm", HALF),
    ("I have to leave at noon on Friday", HALF),
    ("Friday evening off", HALF),
    ("tonight", HALF),
    ("off until 5pm", HALF),
    ("from Wednesday to Friday, half a day", HALF),
]

NOTHING = [
    "", "I want to take some vacation", "two weeks", "half a day", "off by Friday",
    "the last week of December", "the 1st week of January", "on the 2nd floor",
    "between Christmas and New Year", "around Christmas",
    "the day after Christmas Day", "back on Monday", "since Monday", "in two weeks", "24/25 December",
    "a holiday in the sun", "I may need some leave", "march on", "room 3 and 4", "2026-99-99", "the 45th",
]  # fmt: skip


def read(text, now=TUESDAY, zone=BERLIN, **more):
    found = find(text, now=now, time_zone=zone, **more)
    return found.value if found else None


@pytest.mark.parametrize(("text", "expected"), READ)
def test_what_was_said_is_read_exactly(text, expected):
    assert read(text) == expected
    assert read(text, answer=True) == expected


@pytest.mark.parametrize(("text", "problem"), ASKED_BACK)
def test_what_leaves_days_open_is_asked_back(text, problem):
    found = find(text, now=TUESDAY, time_zone=BERLIN)
    assert found is not None
    assert found.value is None
    assert problem in found.problem


@pytest.mark.parametrize("text", NOTHING)
def test_where_no_day_is_said_none_is_read(text):
    assert find(text, now=TUESDAY, time_zone=BERLIN) is None


@pytest.mark.parametrize("text", ["two weeks", "half a day", "a week off", "10 days of vacation"])
def test_as_an_answer_a_length_alone_asks_for_its_beginning(text):
    assert find(text, now=TUESDAY, time_zone=BERLIN) is None
    assert find(text, now=TUESDAY, time_zone=BERLIN, answer=True) == Days(None, BEGINS)


@pytest.mark.parametrize(
    ("text", "now", "zone", "expected"),
    [
        ("tomorrow", NEW_YEARS_EVE, TOKYO, days("2027-01-02")),
        ("tomorrow", NEW_YEARS_EVE, BERLIN, days("2027-01-01")),
        ("until Friday", NEW_YEARS_EVE, TOKYO, days("2027-01-01")),
        ("until Friday", NEW_YEARS_EVE, NEW_YORK, days("2026-12-31", "2027-01-01")),
        ("two weeks from the 21st", NEW_YEARS_EVE, BERLIN, days("2027-01-21", "2027-02-03")),
        ("the 31st", NEW_YEARS_EVE, BERLIN, days("2026-12-31")),
        ("the 31st", NEW_YEARS_EVE, TOKYO, days("2027-01-31")),
        ("the week of Jan 1", NEW_YEARS_EVE, TOKYO, days("2027-01-01", "2027-01-03")),
        ("this weekend", SATURDAY, BERLIN, days("2026-11-28", "2026-11-29")),
        ("next week", SATURDAY, BERLIN, NEXT_WEEK),
        ("Monday to Wednesday next week", SATURDAY, BERLIN, days(MONDAY, "2026-12-02")),
        ("Monday to Wednesday next week", MONDAY_BEFORE, BERLIN, None),  # two Mondays come into question
        ("from Saturday to Monday", BEFORE_AUTUMN, BERLIN, days("2026-10-24", "2026-10-26")),
        ("one week from Saturday", BEFORE_AUTUMN, BERLIN, days("2026-10-24", "2026-10-30")),
        ("one week from Saturday", BEFORE_SPRING, BERLIN, days("2027-03-27", "2027-04-02")),
        ("Sunday afternoon", BEFORE_SPRING, BERLIN, days("2027-03-28", None, AFTERNOON_OFF)),
        ("this morning", AFTERNOON, BERLIN, None),
        ("this afternoon", AFTERNOON, BERLIN, days("2026-11-24", None, AFTERNOON_OFF)),
        ("this morning", AFTERNOON, NEW_YORK, days("2026-11-24", None, MORNING_OFF)),
        ("from today noon to Friday", AFTERNOON, BERLIN, days("2026-11-24", FRIDAY, AFTERNOON_OFF)),
    ],
)
def test_days_are_those_where_the_person_is(text, now, zone, expected):
    assert read(text, now, zone) == expected


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("how much will I have on 1 March?", date(2027, 3, 1)),
        ("how much vacation will I have at the end of the year", date(2026, 12, 31)),
        ("how many days can I take before the end of the year", date(2026, 12, 31)),
        ("what will be left by Christmas", date(2026, 12, 25)),
        ("by New Year's Eve", date(2026, 12, 31)),
        ("by the 1st of March", date(2027, 3, 1)),
        ("at the end of March", date(2027, 3, 31)),
        ("on the 15th", date(2026, 12, 15)),
        ("on Friday", date(2026, 11, 27)),
        ("on Tuesday 1 December", date(2026, 12, 1)),
        ("on 2027-01-01", date(2027, 1, 1)),
        ("how much do I have", None),
        ("how much will I have in March", None),
        ("next week", None),
        ("over the weekend", None),
        ("on 3/4", None),
        ("on 2020-01-01", None),
        ("on 2036-01-01", None),
        ("on Wednesday 1 December", None),
        ("since 1 March", None),
        ("after Christmas", None),
        ("1 March or 1 April", None),
        ("from Dec 24-31, how much is left", None),
        ("my wife wants to book a trip from Dec 24 to Jan 2", None),
    ],
)
def test_the_day_of_a_question_is_what_is_a_date(text, day):
    assert on_day(text, now=TUESDAY, time_zone=BERLIN) == day


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
PLACES = st.sampled_from(ZONES)
FORMS = st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y", "%A %d %B %Y", "%a, %b %d %Y"])
WORDS = st.sampled_from(
    (
        "from until to for in on the next this last of by off day days week weeks half a an and or two 1 2 "
        "3 10 31 24th 21st 2w 3/4 12/31 31.12. 24.-31.12. 2027-02-29 2027-12-24 Dec Jan Feb 29 30 may friday "
        "mon sunday tomorrow today few couple - , . 5pm 17:00 25:99 noon morning afternoon evening weekend "
        "starting end rest month year christmas eve vacation leave except every 1/2 0.5 hours back since"
    ).split()
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=14).map(" ".join))


def there(now, zone):
    return now.astimezone(ZoneInfo(zone)).date()


@given(st.integers(0, 700), FORMS, MOMENTS, PLACES, st.booleans())
def test_a_written_day_comes_back_as_itself_in_every_zone(ahead, form, now, zone, answer):
    meant = there(now, zone) + timedelta(days=ahead)
    for text in (f"{meant:{form}}", f"a day off on {meant:{form}} please"):
        assert read(text, now, zone, answer=answer) == days(meant.isoformat())
    assert on_day(f"how much will I have on {meant:{form}}?", now=now, time_zone=zone) == meant


@given(st.integers(1, 360), st.integers(1, 360), FORMS, MOMENTS, PLACES)
def test_a_written_stretch_comes_back_as_itself_in_every_zone(ahead, longer, form, now, zone):
    first = there(now, zone) + timedelta(days=ahead)
    last = first + timedelta(days=longer)
    found = read(f"off from {first:{form}} to {last:{form}}", now, zone)
    assert found == days(first.isoformat(), last.isoformat())


@given(st.integers(1, 300), st.integers(2, 50), MOMENTS, PLACES)
def test_so_many_days_from_one_are_as_many(ahead, many, now, zone):
    first = there(now, zone) + timedelta(days=ahead)
    last = first + timedelta(days=many - 1)
    for text in (
        f"{many} days off from {first}",
        f"starting {first}, {many} days",
        f"{first} for {many} days",
    ):
        assert read(text, now, zone) == days(first.isoformat(), last.isoformat())


@given(st.integers(1, 31), MOMENTS, PLACES)
def test_a_day_of_the_month_is_the_next_one_to_come(number, now, zone):
    today, ending = there(now, zone), {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
    meant = next(day for ahead in range(92) if (day := today + timedelta(days=ahead)).day == number)
    assert read(f"the {number}{ending.get(number, 'th')} off", now, zone) == days(meant.isoformat())


SAID = st.sampled_from([*(text for text, _ in READ), *(text for text, _ in ASKED_BACK), *NOTHING])


@given(SAID, MOMENTS)
def test_the_zone_moves_no_day_where_the_date_is_the_same(text, now):
    if any(word in text for word in ("morning", "afternoon", "noon", "am", "pm", ":")):
        hour, zones = 6, ("Atlantic/Azores", BERLIN, "Asia/Dubai", "UTC")  # before noon in all of them
    else:
        hour, zones = 12, (BERLIN, NEW_YORK, TOKYO, "UTC")
    told = {str(find(text, now=now.replace(hour=hour), time_zone=zone)) for zone in zones}
    assert len(told) == 1


@given(TEXTS, MOMENTS, PLACES, st.booleans())
def test_whatever_is_said_never_breaks_and_is_always_days_to_come(text, now, zone, answer):
    on_day(text, now=now, time_zone=zone)
    found = find(text, now=now, time_zone=zone, answer=answer)
    if found is None or found.value is None:
        assert found is None or found.problem
        return
    first, last = (date.fromisoformat(found.value[name]) for name in ("first", "last"))
    assert there(now, zone) <= first <= last <= there(now, zone) + timedelta(days=731)
    assert (last - first).days < 366
    assert set(found.value) <= {"first", "last", "half_first", "half_last"}
    assert not found.problem


@pytest.mark.parametrize(
    "part",
    [
        "1 day and ", "from monday ", "the 21st to ", "24, 25, ", "dec 24 - ", "half a day ", "of paid paid ",
        "monday, ", "the week of ", "friday afternoon ", "a ", " ", "((((", "2026-12-24 ", "\u0130", "-",
        "24th and ", "next week or ", "by friday ", "1.1. ", "noon ", "1 h 1 d 1 w ",
    ],
)  # fmt: skip
def test_hostile_text_costs_little(part):
    text = part * (4000 // len(part))
    begun = time.process_time()
    find(text, now=TUESDAY, time_zone=BERLIN, answer=True)
    on_day(text, now=TUESDAY, time_zone=BERLIN)
    assert time.process_time() - begun < 3
