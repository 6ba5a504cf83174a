"""
Each mistake in a config file is one sentence with file, line, key, value, and what to write instead.
"""

from pathlib import Path

import pytest

from orchd import config
from orchd.config import ConfigProblems
from orchd.config.places import timezone
from orchd.errors import ConfigError

GOOD = '[schedules.n]\nflow = "f"\ncron = "* * * * *"\n'
ENV = {"HOME": "/home/ann", "TZ": "UTC"}

#: What is written; the line that is named; what the sentence says.
MISTAKES = [
    ('[daemon]\nsokcet = "x"\n', 2, "[daemon]: there is no key 'sokcet'; did you mean 'socket'?"),
    ("[demon]\n", 1, "there is no table or key 'demon'; did you mean 'daemon'?"),
    ("[schedule.x]\n", 1, "did you mean 'schedules'?"),
    ('[daemon]\nlisten = "8420"\n', 2, 'write an address with a port, such as "127.0.0.1:8420"'),
    ('[daemon]\nlisten = "127.0.0.1:65536"\n', 2, "is no address"),
    ('[daemon]\nlisten = "http://127.0.0.1:8420"\n', 2, "is no address"),
    ('[daemon]\nlisten = "0.0.0.0:8420"\n', 2, "behind_proxy = true"),
    ('[daemon]\nlisten = "[::]:8420"\n', 2, "others could reach the page without TLS"),
    ('[daemon]\nlisten = "jobs.example.org:8420"\n', 2, "others could reach the page without TLS"),
    ('[daemon]\nhosts = ["https://jobs.example.org"]\n', 2, "is no name of a host"),
    ('[daemon]\nhosts = ["a b"]\n', 2, "is no name of a host"),
    ('[daemon]\nbehind_proxy = "yes"\n', 2, "behind_proxy"),
    (
        '[daemon]\nmax_runs = "8"\n',
        2,
        '[daemon] max_runs = "8": must be a whole number; write for example max_runs = 8',
    ),
    ("[daemon]\nmax_runs = true\n", 2, "max_runs = true: must be a whole number"),
    ("[daemon]\nmax_runs = 0\n", 2, "max_runs = 0: must be 1 or more"),
    ("[daemon]\nstop_grace = 30\n", 2, 'must be a duration in quotes; write for example stop_grace = "30s"'),
    ('[daemon]\nstop_grace = "30 parsecs"\n', 2, 'stop_grace = "30 parsecs": is not a duration'),
    ('[daemon]\nmax_output = "7q"\n', 2, 'max_output = "7q": is not a size'),
    ('[daemon]\ntimezone = "Europe/Viena"\n', 2, "did you mean 'Europe/Vienna'?"),
    ('[daemon]\ntimezone = "../etc/passwd"\n', 2, "is not a time zone that this machine knows"),
    ('[daemon]\nstore = "mysql://x"\n', 2, 'store = "mysql://x": is no store; write "sqlite" or'),
    (f'[daemon]\nsocket = "/{"x" * 120}"\n', 2, "has 121 bytes, and a Unix socket can have 107"),
    ('[retention]\nruns = "0s"\n', 2, "is no time at all"),
    ('[flows]\npaths = "flows"\n', 2, 'must be a list in square brackets; write for example paths = ["../flows"]'),
    ('[flows]\npaths = ["nowhere"]\n', 2, 'paths = "nowhere": there is no such file or folder'),
    ('[flows]\nenv_file = "nowhere"\n', 2, 'env_file = "nowhere": there is no such file'),
    ('[flow.f]\non_crash = "retry"\n', 2, 'on_crash = "retry": must be one of "fail", "resume"'),
    ("daemon = 3\n", 1, "must be a table of keys and values"),
    ("[schedules]\nn = 3\n", 2, "must be a table of keys and values"),
    ('[schedules.n]\ncron = "* * * * *"\n', 1, "[schedules.n] has no 'flow'; write for example flow = "),
    ('[schedules.n]\nflow = "f"\n', 1, "[schedules.n] has no rule; write exactly one of cron ="),
    (GOOD + 'every = "9s"\n', 1, "[schedules.n] has cron and every; write exactly one of cron ="),
    ('[schedules.n]\nflow = "f"\ncron = "61 * * * *"\n', 3, '[schedules.n] cron = "61 * * * *": '),
    ('[schedules.n]\nflow = "f"\nevery = "often"\n', 3, '[schedules.n] every = "often": '),
    (GOOD + 'timezone = "Nowhere/Land"\n', 4, 'timezone = "Nowhere/Land": is not a time zone'),
    (GOOD + 'overlap = "skp"\n', 4, 'must be one of "skip", "queue", "allow", "replace"'),
    (GOOD + 'when = "success"\n', 4, "when: means nothing beside 'cron', only with after; remove it"),
    (GOOD + "max_catchup = 5000\n", 4, "max_catchup = 5000: must be 1000 or less"),
    (GOOD + 'anchor = "2026"\n', 4, "must be a date or a time without quotes"),
    (GOOD + "parameters = 3\n", 4, "must be a table of keys and values"),
    ('[schedules.n]\nflow = "f"\nafter = []\n', 3, "after = []: is empty: give one at least"),
    ('[schedules."a@b"]\nflow = "f"\ncron = "* * * * *"\n', 1, "is no name"),
    ("[daemon]\nmax_runs = 1\nmax_runs = 2\n", 3, "line 3: daemon.max_runs is written twice, first in line 2; remove"),
    (GOOD + "[schedules.n]\n", 4, "line 4: [schedules.n] is written twice, first in line 1; remove"),
    ('[schedules."a\\u001bb"]\nflow = "f"\ncron = "* * * * *"\n', 1, "is no name"),
    ('[schedules.n]\nflow = "f\\u202ex"\ncron = "* * * * *"\n', 2, "is no name"),
    ('[schedules.n]\nflow = "f"\nafter = ["a", "b\\u0000"]\n', 3, "is no name"),
    ('[schedules.n]\nflow = "f"\nafter = ["b", "b"]\n', 3, "[schedules.n] after: 'b' is there twice; remove one"),
    ('[schedules.n]\nflow = "f"\nevery = "1M"\n', 3, "m is minutes; write 1m for them, or for months use cron"),
    ('[schedules.n]\nflow = "f"\ncron = "0 0 * * MOO"\n', 3, "day of week 'MOO' cannot be read"),
    ('[schedules.date]\nflow = "f"\ncron = 3\n', 3, "[schedules.date] cron = 3: must be text in double quotes"),
    ('[daemon]\nstore = "sqlite\nmax_runs = 3\n', 2, "not TOML: a closing quote is missing"),
    ("[daemon]\nstore = sqlite\n", 2, "not TOML: invalid value; text stands in double quotes"),
    ('[schedules.a]\nflow = "x"\nafter = ["x"]\n', 3, "[schedules.a] after: 'x' after 'x' is a circle"),
    (
        '[schedules.a]\nflow = "x"\nafter = ["y"]\n[schedules.b]\nflow = "y"\ncron = "@daily"\n'
        'wait_for = { flow = "x", within = "9h" }\n',
        3,
        "[schedules.a] after: 'x' after 'y' waits for 'x' is a circle; remove one of the waits",
    ),
    ('[schedules.n]\nflow = "f"\nrrule = "FREQ=DALY"\n', 3, '[schedules.n] rrule = "FREQ=DALY": its FREQ must be'),
    ('[schedules.n]\nflow = "f"\nrrule = "FREQ=DAILY;COUNT=2"\n', 3, "COUNT counts from a start; write anchor"),
    ('[schedules.n]\nflow = "f"\ndates = []\n', 3, "dates = []: is empty: give one at least"),
    ('[schedules.n]\nflow = "f"\ndates = ["soon"]\n', 3, "must be a date or a time without quotes"),
    (GOOD + "count = 3\n", 4, "[schedules.n] count: counts from a time; write from = 2026-01-01"),
    (GOOD + "from = 3\n", 4, "from = 3: must be a date or a time without quotes; write for example from = 2026-01-01"),
    (GOOD + "form = 3\n", 4, "there is no key 'form'; did you mean 'from'?"),
    (GOOD + 'splay = "0s"\n', 4, 'splay = "0s": is no time at all'),
    (
        GOOD + 'skip = ["holidays"]\n',
        4,
        "[schedules.n] skip: there is no calendar 'holidays'; write [calendars.holidays]",
    ),
    (
        GOOD + "from = 2026-01-02\nuntil = 2026-01-01\n",
        1,
        "[schedules.n] never fires: none of its fire times is in its",
    ),
    (
        '[calendars.c]\ndays = [2026-12-24]\n[schedules.n]\nflow = "f"\ndates = [2026-12-24]\nskip = ["c"]\n',
        3,
        "[schedules.n] never fires: its calendars take each of its fire times away",
    ),
    (
        '[calendars.c]\ndays = [2026-12-24]\n[schedules.n]\nflow = "f"\ncron = "@daily"\nskip = ["c"]\n'
        'next_business_day = ["c"]\n',
        3,
        "[schedules.n] names the calendar 'c' twice",
    ),
    (
        '[calendars.c]\ndays = [2026-12-24]\n[calendars.d]\ndays = [2026-12-25]\n[schedules.n]\nflow = "f"\n'
        'cron = "@daily"\nnext_business_day = ["c"]\nprevious_business_day = ["d"]\n',
        9,
        "a day has one way to move",
    ),
    ("[calendars.c]\ndays = []\n", 2, "days = []: is empty: give one at least"),
    ('[calendars.c]\ndays = ["easter"]\n', 2, 'days.0 = "easter": is no day and no range of days; write 2026-12-25 or'),
    ('[calendars.c]\ndays = ["2026-12-26/2026-12-24"]\n', 2, 'ends before it begins; write "2026-12-24/2026-12-26"'),
    ('[calendars.c]\ndays = ["0001-01-01/9999-12-31"]\n', 2, "is longer than 366 days, or after the year 2999"),
    ("[calendars.c]\ndays = [2026-12-26T00:00:00]\n", 2, "is no day and no range of days"),
    (
        '[schedules.n]\nflow = "f"\nafter = ["b"]\nsplay = "9m"\n',
        4,
        "splay: means nothing beside 'after', only with cron",
    ),
]


@pytest.mark.parametrize(("text", "line", "says"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_one_clear_sentence(tmp_path: Path, text: str, line: int, says: str) -> None:
    """
    The message names the file and the line, says what is wrong there, and stands on one line.
    """
    file = tmp_path / "orchd.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path, env=ENV)

    assert str(caught.value).startswith(f"{file}, line {line}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_mistakes_are_told(tmp_path: Path) -> None:
    """
    The first mistake is the message, which says how many there are; all of them are kept.
    """
    (tmp_path / "orchd.toml").write_text('[daemon]\nmax_runs = "8"\nstop_grace = 3\nnope = 1\n')
    with pytest.raises(ConfigProblems, match=r"max_runs.*\(and 2 more: see `orchd check`\)") as caught:
        config.load(tmp_path, env=ENV)

    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[pools]\ngpu = 0\n[flow.f]\npool = "gpu"\n', 2),
        ('pools = 3\n[flow.f]\npool = "gpu"\n', 1),
        (f'[calendars.c]\ndays = ["easter"]\n{GOOD}skip = ["c"]\n', 2),
        (f'[calendars.c]\ndays = []\n{GOOD}skip = ["c"]\n', 2),
        (f'[calendars.c]\n{GOOD}skip = ["c"]\n', 1),
        (f'calendars = 3\n{GOOD}skip = ["c"]\n', 1),
        ('[schedules.n]\nflow = "f"\ndates = ["soon"]\n', 3),
    ],
)
def test_one_mistake_is_told_once(tmp_path: Path, text: str, line: int) -> None:
    """
    What only follows from it is passed over, and no schedule is looked at without a calendar that it names.
    """
    file = tmp_path / "orchd.toml"
    file.write_text(text)
    examined = config.examine(file, env=ENV)

    assert [problem.split(": ")[0] for problem in examined.problems] == [f"{file}, line {line}"]
    assert examined.config.schedules == ()


def test_mistakes_of_every_kind_are_told_together_in_the_order_of_lines(tmp_path: Path) -> None:
    """
    A wrong key hides no wrong cron, zone, path or circle; a file that is no TOML hides no other file.
    """
    (tmp_path / "a.toml").write_text(
        f"{GOOD}overlap = 3\n"
        '[schedules.m]\nflow = "f"\ncron = "61 * * * *"\n'
        '[daemon]\nmax_runs = "8"\ntimezone = "Nowhere"\nstore = "mysql:"\n'
        '[schedules.o]\nflow = "g"\nafter = ["g"]\n'
        '[flows]\npaths = ["nowhere"]\n'
    )
    (tmp_path / "b.toml").write_text("x = \n")
    (tmp_path / "c.toml").write_text("[demon]\n[daemon]\nmax_runs = 3\n")
    examined = config.examine(tmp_path, env=ENV)

    lines = [("a", 4), ("a", 7), ("a", 9), ("a", 10), ("a", 11), ("a", 14), ("a", 16), ("b", 1), ("c", 1), ("c", 3)]
    places = [f"{tmp_path}/{name}.toml, line {line}" for name, line in lines]
    assert [problem.split(": ")[0] for problem in examined.problems] == places
    assert not examined.is_whole


def test_what_is_right_beside_a_mistake_can_still_be_looked_at(tmp_path: Path) -> None:
    """
    The examined config has every schedule and setting that can be meant.
    """
    (tmp_path / "orchd.toml").write_text(f"{GOOD}[schedules.m]\nflow = 3\n[daemon]\nmax_runs = 5\nstop_grace = 1\n")
    examined = config.examine(tmp_path, env=ENV)

    assert [schedule.name for schedule in examined.config.schedules] == ["n"]
    assert (examined.config.daemon.max_runs, len(examined.problems), examined.is_whole) == (5, 2, True)


@pytest.mark.parametrize(
    ("second", "what"),
    [("[daemon]\nmax_runs = 2\n", "[daemon] max_runs"), (GOOD, "[schedules.n]"), ("daemon = 3\n", "[daemon]")],
)
def test_a_key_in_two_files_is_refused(tmp_path: Path, second: str, what: str) -> None:
    """
    The message names both places.
    """
    (tmp_path / "a.toml").write_text(f"[daemon]\nmax_runs = 1\n{GOOD}")
    (tmp_path / "b.toml").write_text(second)
    with pytest.raises(ConfigProblems) as caught:
        config.load(tmp_path, env=ENV)

    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/b.toml, line ")
    assert f"{what} was already given in {tmp_path}/a.toml, line " in message


def test_a_long_circle_is_named_once(tmp_path: Path) -> None:
    """
    Flows that wait for each other in a ring are told as one circle; a long chain without a ring is none.
    """
    ring = "".join(f'[schedules.s{n}]\nflow = "f{n}"\nafter = ["f{(n + 1) % 3}"]\n' for n in range(3))
    (tmp_path / "orchd.toml").write_text(ring)
    with pytest.raises(ConfigProblems, match=r"'f0' after 'f1' after 'f2' after 'f0' is a circle") as caught:
        config.load(tmp_path, env=ENV)
    assert len(caught.value.problems) == 1

    chain = "".join(f'[schedules.s{n}]\nflow = "f{n}"\nafter = ["f{n + 1}"]\n' for n in range(2000))
    (tmp_path / "orchd.toml").write_text(chain)
    assert len(config.load(tmp_path, env=ENV).schedules) == 2000


def test_a_path_that_is_not_there_says_how_to_begin(tmp_path: Path) -> None:
    """
    The sentence leads a newcomer to `orchd init`.
    """
    with pytest.raises(ConfigError, match=r"there is no config file or folder .*/nope; `orchd init DIR` writes"):
        config.load(tmp_path / "nope", env=ENV)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """
    The message says at which byte.
    """
    (tmp_path / "orchd.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"orchd.toml: byte 5 is not UTF-8"):
        config.load(tmp_path, env=ENV)


def test_the_machines_zone_is_found(tmp_path: Path) -> None:
    """
    TZ wins, then the link of /etc/localtime, then /etc/timezone, then UTC; what is no zone is passed over.
    """
    etc = tmp_path / "etc"
    etc.mkdir()
    assert timezone({}, root=tmp_path) == "UTC"

    (etc / "timezone").write_text("Asia/Tokyo\n")
    assert timezone({"TZ": "nonsense"}, root=tmp_path) == "Asia/Tokyo"

    (etc / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Vienna")
    assert timezone({}, root=tmp_path) == "Europe/Vienna"
    assert timezone({"TZ": ":America/New_York"}, root=tmp_path) == "America/New_York"
