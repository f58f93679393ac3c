"""A working day counts once, and nothing else does: no weekend, no holiday, wherever somebody works."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.procedures.days import LONGEST, Calendars

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Riyadh", "Africa/Cairo", "Asia/Kathmandu",
    "Asia/Tehran", "Asia/Jerusalem", "Europe/Budapest", "Asia/Kolkata", "Pacific/Kiritimati", "UTC",
    "No/Where",
)  # fmt: skip
# Weekends as their governments have them.
RESTS = {"Asia/Riyadh": {4, 5}, "Africa/Cairo": {4, 5}, "Asia/Kathmandu": {5}, "Asia/Jerusalem": {4, 5}}

NAMED = "Europe/Berlin=DE-BE, America/New_York=US"
CALENDARS = Calendars(NAMED, clock=lambda: NOW)

FIRSTS = st.dates(date(2024, 1, 1), date(2027, 11, 1))
LENGTHS = st.integers(1, 120)


def calendar(zone, setting=NAMED):
    return Calendars(setting, clock=lambda: NOW).calendar(zone)


def total(zone, first, last, **halves):
    return sum(CALENDARS.calendar(zone).counted(first, last, **halves).values())


class TestWhoseDays:
    @pytest.mark.parametrize(
        ("setting", "zone", "name"),
        [
            ("Europe/Berlin=DE-BE", "Europe/Berlin", "Germany, Berlin"),
            ("Europe/Berlin=DE", "Europe/Berlin", "Germany"),
            ("America/Chicago=US-TX", "America/Chicago", "United States, Texas"),
            ("Europe/Berlin=DE-BE", "Europe/Madrid", "Spain"),
            ("", "Europe/London", "Britain (UK)"),
            ("*=none", "Europe/Madrid", "no public holidays"),
            ("Europe/Berlin=DE-BE, *=none", "Europe/Berlin", "Germany, Berlin"),
            ("*=DE-BE", "UTC", "Germany, Berlin"),
            ("Europe/Berlin=none", "Europe/Berlin", "no public holidays"),
            (" Europe/Berlin = DE-BE ,, ", "Europe/Berlin", "Germany, Berlin"),
            ("", "UTC", "no public holidays"),
            ("", "No/Where", "no public holidays"),
            ("", "", "no public holidays"),
        ],
    )
    def test_a_zone_has_the_holidays_that_are_named_for_it_or_those_of_its_country(self, setting, zone, name):
        assert calendar(zone, setting).name == name

    @pytest.mark.parametrize(("zone", "name"), [("Asia/Calcutta", "India"), ("US/Pacific", "United States")])
    def test_a_former_name_of_a_zone_is_as_good(self, zone, name):
        assert calendar(zone).name == name

    @pytest.mark.parametrize("zone", ["Iceland", "Africa/Timbuktu", "Pacific/Ponape"])
    def test_a_former_name_that_leads_to_another_country_is_no_guess(self, zone):
        assert calendar(zone).name == "no public holidays"

    @pytest.mark.parametrize(
        ("setting", "wrong"),
        [
            ("Europe/Berlin=XX", "no country 'XX'"),
            ("Europe/Berlin=de", "no country 'de'"),
            ("Europe/Berlin=HolidayBase", "no country 'HolidayBase'"),
            ("Europe/Berlin=DE-XX", "DE has no subdivision 'XX'; it has: BB, BE"),
            ("Europe/Berlin=DE-", "names no subdivision"),
            ("Europe/Berlni=DE", "no time zone 'Europe/Berlni'"),
            ("../etc/passwd=DE", "no time zone"),
            ("Europe/Berlin", "no ZONE=COUNTRY"),
            ("=DE", "no ZONE=COUNTRY"),
            ("Europe/Berlin=", "no ZONE=COUNTRY"),
            ("Europe/Berlin=DE, Europe/Berlin=US", "'Europe/Berlin' is there twice"),
        ],
    )
    def test_a_setting_that_cannot_be_used_is_refused_with_the_part_that_is_wrong(self, setting, wrong):
        with pytest.raises(ValueError, match=wrong):
            Calendars(f"America/New_York=US, {setting}")

    @pytest.mark.parametrize("language", ["de_DE.UTF-8", "uk_UA.UTF-8"])
    def test_names_are_english_whatever_the_machine_speaks(self, monkeypatch, language):
        monkeypatch.setenv("LANGUAGE", language)
        assert calendar("Europe/Berlin").why_off(date(2026, 12, 25)) == "Christmas Day"

    def test_every_country_of_the_zone_table_can_be_loaded(self):
        calendars = Calendars("", clock=lambda: NOW)
        for zone in calendars._countries:
            parts = calendars.calendar(zone).counted(date(2026, 12, 1), date(2027, 2, 28))
            assert 0 < sum(parts.values()) < len(parts), zone

    def test_nothing_is_loaded_before_somebody_asks(self):
        code = "import sys, bot.procedures.days as days; days.Calendars(''); print('holidays' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


class TestWhyOff:
    @pytest.mark.parametrize(
        ("zone", "day", "why"),
        [
            ("Europe/Berlin", date(2026, 12, 24), ""),
            ("Europe/Berlin", date(2026, 12, 25), "Christmas Day"),
            ("Europe/Berlin", date(2026, 12, 26), "Saturday"),
            ("Europe/Berlin", date(2026, 12, 27), "Sunday"),
            ("Europe/Berlin", date(2027, 3, 8), "Women's Day"),  # of Berlin, not of Germany
            ("Europe/Vienna", date(2027, 3, 8), ""),
            ("America/New_York", date(2026, 7, 3), "Independence Day (observed)"),
            ("America/New_York", date(2026, 11, 26), "Thanksgiving Day"),
            ("Asia/Riyadh", date(2026, 11, 27), "Friday"),
            ("Asia/Riyadh", date(2026, 11, 28), "Saturday"),
            ("Asia/Riyadh", date(2026, 11, 29), ""),
            ("Europe/Budapest", date(2026, 8, 8), ""),  # a Saturday on which Hungary works
            ("Europe/Budapest", date(2026, 8, 15), "Saturday"),
            ("UTC", date(2026, 12, 25), ""),
            ("UTC", date(2026, 12, 26), "Saturday"),
        ],
    )
    def test_it_says_why_nobody_works(self, zone, day, why):
        assert calendar(zone).why_off(day) == why


class TestCounted:
    def test_christmas_in_berlin(self):
        parts = calendar("Europe/Berlin").counted(date(2026, 12, 21), date(2027, 1, 3))
        assert [day for day, part in parts.items() if not part] == [
            date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 27), date(2027, 1, 1), date(2027, 1, 2),
            date(2027, 1, 3),
        ]  # fmt: skip
        assert sum(parts.values()) == 8

    def test_half_days(self):
        wednesday, friday, sunday = (date(2026, 12, day) for day in (2, 4, 6))
        assert total("Europe/Berlin", wednesday, friday, half_first=True) == Decimal("2.5")
        assert total("Europe/Berlin", wednesday, friday, half_first=True, half_last=True) == 2
        assert total("Europe/Berlin", friday, friday, half_first=True) == Decimal("0.5")
        assert total("Europe/Berlin", friday, friday, half_first=True, half_last=True) == Decimal("0.5")
        assert total("Europe/Berlin", wednesday, sunday, half_last=True) == 3

    @pytest.mark.parametrize(
        ("first", "last", "why"),
        [
            (date(2026, 12, 2), date(2026, 12, 1), "before the first"),
            (date(2026, 12, 1), date(2027, 12, 2), "more than 366 days"),
            (date(2028, 11, 20), date(2028, 11, 25), "two years away"),
        ],
    )
    def test_what_is_no_time_off_is_refused(self, first, last, why):
        with pytest.raises(ValueError, match=why):
            calendar("Europe/Berlin").counted(first, last)

    def test_the_longest_and_the_latest_are_counted(self):
        berlin = calendar("Europe/Berlin")
        assert len(berlin.counted(date(2026, 12, 1), date(2027, 12, 1))) == LONGEST
        assert len(berlin.counted(date(2028, 11, 24), date(2028, 11, 24))) == 1

    @given(st.sampled_from(ZONES), FIRSTS, LENGTHS, LENGTHS)
    def test_two_stretches_take_what_the_whole_takes(self, zone, first, one, other):
        middle, last = first + timedelta(days=one - 1), first + timedelta(days=one + other - 1)
        apart = total(zone, first, middle) + total(zone, middle + timedelta(days=1), last)
        assert apart == total(zone, first, last)

    @given(st.sampled_from(ZONES), FIRSTS, LENGTHS, st.booleans(), st.booleans())
    def test_a_day_off_never_counts_and_a_working_day_once(self, zone, first, length, half_first, half_last):
        last = first + timedelta(days=length - 1)
        there = CALENDARS.calendar(zone)
        parts = there.counted(first, last, half_first=half_first, half_last=half_last)
        assert list(parts) == [first + timedelta(days=number) for number in range(length)]
        for day, part in parts.items():
            half = (half_first and day == first) or (half_last and day == last)
            assert part == (0 if there.why_off(day) else Decimal("0.5") if half else 1)

    @given(st.sampled_from(sorted(RESTS)), FIRSTS, LENGTHS)
    def test_weekends_are_those_of_the_country(self, zone, first, length):
        parts = CALENDARS.calendar(zone).counted(first, first + timedelta(days=length - 1))
        assert not any(part for day, part in parts.items() if day.weekday() in RESTS[zone])

    @given(st.sampled_from(["UTC", "No/Where"]), FIRSTS, LENGTHS)
    def test_without_holidays_it_is_all_but_saturdays_and_sundays(self, zone, first, length):
        weeks, rest = divmod(length, 7)
        left = sum((first.weekday() + number) % 7 < 5 for number in range(rest))
        assert total(zone, first, first + timedelta(days=length - 1)) == weeks * 5 + left

    @given(FIRSTS, LENGTHS)
    def test_the_number_is_that_of_a_slow_count(self, first, length):
        slow, day = 0, first
        for _ in range(length):
            slow += day.weekday() < 5 and day not in _berlin(day.year)
            day += timedelta(days=1)
        assert total("Europe/Berlin", first, first + timedelta(days=length - 1)) == slow


def _berlin(year):
    """Berlin's public holidays, by its law as it stands: fixed days, and those that hang on Easter."""
    fixed = {date(year, *each) for each in ((1, 1), (3, 8), (5, 1), (10, 3), (12, 25), (12, 26))}
    if year == 2025:
        fixed.add(date(2025, 5, 8))  # once, eighty years after the war
    return fixed | {_easter(year) + timedelta(days=after) for after in (-2, 1, 39, 50)}


def _easter(year):
    """Gauss, as Lichtenberg mended it."""
    century = year // 100
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    sun = 2 - (3 * century + 3) // 4
    cycle = year % 19
    full = (19 * cycle + moon) % 30
    border = full + 21 - (full // 29 + (full // 28 - full // 29) * (cycle // 11))
    sunday = 7 - (year + year // 4 + sun) % 7
    return date(year, 3, 1) + timedelta(days=border + 7 - (border - sunday) % 7 - 1)
