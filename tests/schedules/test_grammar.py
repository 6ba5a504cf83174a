"""
What a cron text may say, and the sentence for each that it may not.
"""

import pytest

from orchd.schedules import Cron, RuleError
from orchd.schedules.grammar import parse

REFUSED = {
    "61 * * * *": "minute '61' is out of range; write a number from 0 to 59",
    "* 24 * * *": "hour '24' is out of range",
    "* * 0 * *": "day of month '0' is out of range; write a number from 1 to 31",
    "* * 32W * *": "day of month '32W' is out of range",
    "* * * 13 *": "month '13' is out of range",
    "* * * foo *": "write a number from 1 to 12 or a name (jan, feb",
    "* * * * 8": "day of week '8' is out of range; write a number from 0 to 7",
    "* * * * 1#6": "day of week '1#6' asks for a week that no month has",
    "* * * * 1#0": "write #1 to #5",
    "* * * * L": "day of week 'L' cannot be read",
    "? * * * *": "minute '?' cannot be read",
    "* * ? * *": "day of month '?' cannot be read",
    "R * * * *": "minute 'R' cannot be read",
    "H * * * *": "minute 'H' cannot be read",
    "h(1-5) * * * *": "minute 'h(1-5)' cannot be read",
    "1-1 * * * *": "minute '1-1' begins where it ends; write 1 alone, or * for all",
    "5-1 * * * *": "minute '5-1' ends before it begins; write 5-59,0-1",
    "59-0 * * * *": "minute '59-0' ends before it begins; write 59,0",
    "* * * * fri-mon": "day of week 'fri-mon' ends before it begins; write 5-7,0-1",
    "*/90 * * * *": "minute '*/90' has a step that is larger than its range, so it means 0 alone; write 0",
    "* */24 * * *": "hour '*/24' has a step that is larger",
    "59/15 * * * *": "minute '59/15' has a step that is larger than its range, so it means 59 alone",
    "1-5/9 * * * *": "so it means 1 alone; write 1",
    "*/0 * * * *": "minute '*/0' has the step 0",
    "1, * * * *": "minute '' cannot be read",
    "5- * * * *": "minute '5-' cannot be read",
    "٣ * * * *": "cannot be read",
    "-5 * * * *": "cannot be read",
    "* * * *": "has 4 fields; write five",
    "": "has 0 fields; write five",
    "0 0 * * * 5": "has 6 fields; write five, and every =",
    "0 0 0 * * * 2026": "has 7 fields",
    "@reboot": "'@reboot' is not a known word; write five fields or one of @hourly",
    "0 0 30 2 *": "never fires: no month that it names has such a day",
    "0 0 31 4,6,9,11 *": "never fires",
    "0," * 128 + "0 * * * *": "of 265 characters is too long; write at most 256",
}


@pytest.mark.parametrize(("expr", "sentence"), REFUSED.items())
def test_a_cron_text_that_cannot_be_meant_is_refused_with_the_way_out(expr, sentence):
    """
    The error names the field, the text, and what to write instead.
    """
    with pytest.raises(RuleError) as refused:
        Cron(expr, "UTC")

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("word", "expr"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@WEEKLY", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("0 0 * JAN-mar Mon,fri", "0 0 * 1-3 1,5"),
        ("5/20 * * * 7", "5-59/20 * * * 0"),
        ("0 0 * * sunL", "0 0 * * 0L"),
        ("0 0 * * fri#3,fri#3", "0 0 * * 5#3"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        (" 0\t0 * * * ", "0 0 * * *"),
    ],
)
def test_two_spellings_mean_the_same(word, expr):
    """
    Words, names and short forms say what the plain numbers say.
    """
    assert parse(expr) == parse(word)


def test_a_zone_that_does_not_exist_is_refused_with_the_nearest_name():
    """
    A slip in a zone's name is answered with the name that was meant.
    """
    with pytest.raises(RuleError, match=r"'Europe/Viena' is not in the tz database; .* 'Europe/Vienna'"):
        Cron("* * * * *", "Europe/Viena")


@pytest.mark.parametrize("name", ["", "../etc/passwd", "/etc/localtime", "Europe", "x" * 999, "nul\0"])
def test_a_zone_name_cannot_be_a_path(name):
    """
    What is no IANA name is refused as such, whatever the file system says about it.
    """
    with pytest.raises(RuleError, match="not in the tz database"):
        Cron("* * * * *", name)
