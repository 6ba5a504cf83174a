"""
Reading config and flow files again: what is good counts from then on, what is broken changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_struct
from structlog.testing import capture_logs

from orchd.config import Config, FlowFiles
from orchd.errors import ConfigError
from orchd.model.instants import iso, to_us
from orchd.model.specs import Description, RuleKind, ScheduleSpec
from orchd.scheduler.reload import Reloader, collect
from orchd.store import schedules
from scheduler.daemon import Daemon
from scheduler.rig import START, Rig, every_minute, flow_spec, minute

GOOD = Description(file="/flows/load.py", source_hash="aa", flows=(flow_spec("load"),))
BROKEN = Description(file="/flows/load.py", error="line 3: no such name")


class Reloading:
    """
    A daemon whose config and flow files are the test's.
    """

    def __init__(self, daemon: Daemon) -> None:
        """
        Begin with no schedule and one good file.
        """
        self.daemon = daemon
        self.config: Config | ConfigError = self.with_schedules()
        self.descriptions: Sequence[Description] = [GOOD]
        self.reloader = Reloader(
            daemon.scheduler, self.with_schedules(), read=self._read, describe=lambda files, **_: self.descriptions
        )

    def with_schedules(self, *specs: ScheduleSpec) -> Config:
        """
        Return the rig's config with other schedules.
        """
        return Config(daemon=self.daemon.rig.config.daemon, schedules=specs)

    def _read(self) -> Config:
        if isinstance(self.config, ConfigError):
            raise self.config
        return self.config

    def names(self) -> list[str]:
        """
        Return the schedules on the board.
        """
        return list(self.daemon.scheduler.board.entries)


@pytest.fixture
def reloading(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Reloading:
    """
    A daemon that has loaded its flow files once.
    """
    daemon = Daemon(rig, monkeypatch)
    daemon.load()
    made = Reloading(daemon)
    made.reloader.first_load()
    return made


def test_the_first_load_makes_flows_known(reloading: Reloading) -> None:
    """
    And whoever waits for it goes on.
    """
    assert ["load"] == list(reloading.daemon.scheduler.board.flows)
    assert reloading.reloader.has_loaded.is_set()


def test_what_changed_is_said_and_counts(reloading: Reloading) -> None:
    """
    Schedules and flows that are new, changed or gone.
    """
    reloading.config = reloading.with_schedules(every_minute("a"), every_minute("b"))
    said = {"ok": True, "error": None, "changes": ["schedule a is new", "schedule b is new"], "broken": []}
    assert said == reloading.reloader.reload()
    reloading.config = reloading.with_schedules(every_minute("a", rule="*/5 * * * *"))
    reloading.descriptions = [
        Description(file="/flows/load.py", flows=(flow_spec("load"),)),
        Description(file="/flows/x.py", flows=(flow_spec("x"),), warnings=("flow.run() at the end is ignored",)),
    ]

    assert ["schedule b is gone", "schedule a changed", "flow x is new"] == reloading.reloader.reload()["changes"]
    assert ["a"] == reloading.names()
    assert [] == reloading.reloader.reload()["changes"]


def test_a_module_without_a_flow_is_no_mistake(reloading: Reloading) -> None:
    """
    Unless the config names the file itself: then the status has its sentence.
    """
    helper = Description(file="/flows/utils.py", error="no flow found", has_no_flow=True)
    reloading.descriptions = [GOOD, helper]
    reloading.reloader.reload()
    assert reloading.reloader.loaded.errors == ()

    files = FlowFiles(paths=(Path("/flows/utils.py"),))
    reloading.config = Config(daemon=reloading.daemon.rig.config.daemon, flows=files)
    reloading.reloader.reload()
    assert reloading.reloader.loaded.errors == (("/flows/utils.py", "no flow found"),)


def test_what_only_a_restart_changes_is_said_and_stays(reloading: Reloading) -> None:
    """
    The status goes on showing what is in use; the rest of the section counts at once.
    """
    in_use = reloading.daemon.rig.config.daemon
    changed = replace(in_use, socket=Path("/other.sock"), stop_grace=timedelta(hours=1), max_runs=3)
    reloading.config = replace(reloading.with_schedules(), daemon=changed)

    assert [
        f"socket in [daemon] needs a restart: until then it is {in_use.socket}",
        f"stop_grace in [daemon] needs a restart: until then it is {in_use.stop_grace}",
    ] == reloading.reloader.reload()["changes"]
    assert replace(in_use, max_runs=3) == reloading.reloader.config.daemon


def test_a_broken_config_changes_nothing(reloading: Reloading) -> None:
    """
    The sentence is kept for the status, until a reload is good.
    """
    reloading.config = reloading.with_schedules(every_minute("a"))
    reloading.reloader.reload()
    reloading.config = ConfigError("orchd.toml, line 3: no such key")
    with capture_logs() as logs:
        answer = reloading.reloader.reload()

    assert {"ok": False, "error": "orchd.toml, line 3: no such key", "changes": [], "broken": []} == answer
    assert (["a"], "orchd.toml, line 3: no such key") == (reloading.names(), reloading.reloader.error)
    assert ["reload_refused"] == [entry["event"] for entry in logs]

    reloading.config = reloading.with_schedules(every_minute("a"))

    assert reloading.reloader.reload()["ok"]
    assert reloading.reloader.error is None


def test_a_schedule_of_an_unknown_flow_is_refused_when_all_files_have_loaded(reloading: Reloading) -> None:
    """
    Nothing is swapped.
    """
    reloading.config = reloading.with_schedules(every_minute("a", flow="lost"))

    assert "lost" in str(reloading.reloader.reload()["error"])
    assert [] == reloading.names()


def test_a_file_that_stops_loading_keeps_its_last_description(reloading: Reloading) -> None:
    """
    Its schedules still start runs, and the status says what is broken.
    """
    reloading.config = reloading.with_schedules(every_minute("a"))
    reloading.descriptions = [BROKEN]
    with capture_logs() as logs:
        answer = reloading.reloader.reload()

    assert (True, [{"file": "/flows/load.py", "error": "line 3: no such name"}]) == (answer["ok"], answer["broken"])
    assert (("/flows/load.py", "line 3: no such name"),) == reloading.reloader.loaded.errors
    assert ["load"] == list(reloading.daemon.scheduler.board.flows)
    assert "flow_file_broken" in [entry["event"] for entry in logs]
    reloading.daemon.now = minute(1)
    reloading.daemon.tick()
    assert ["a pending"] == reloading.daemon.rig.states()


def test_a_file_that_breaks_and_is_mended_is_said_to_be(reloading: Reloading) -> None:
    """
    Its flow was never gone, so it is not new; it changed only when the mended file says something else.
    """
    changed = replace_struct(GOOD, flows=(replace_struct(GOOD.flows[0], source_hash="bb"),))
    told = []
    for found in (BROKEN, BROKEN, GOOD, BROKEN, changed):
        reloading.descriptions = [found]
        told.append(reloading.reloader.reload()["changes"])

    broken, again = ["/flows/load.py is broken"], "/flows/load.py loads again"
    assert told == [broken, [], [again], broken, [again, "flow load changed"]]


def test_the_old_rule_decides_up_to_the_change(reloading: Reloading) -> None:
    """
    A fire time that was due just before the edit is not lost.
    """
    reloading.config = reloading.with_schedules(every_minute("a"))
    reloading.reloader.reload()
    reloading.daemon.now = minute(1)
    reloading.config = reloading.with_schedules(every_minute("a", rule="30 * * * *"))
    reloading.reloader.reload()

    assert ["10:01 on_time"] == reloading.daemon.rig.slots("a")
    assert minute(30) == reloading.daemon.scheduler.board.entries["a"].next_fire


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ([every_minute("a", rule="30 * * * *")], "paused"),
        ([], "paused"),
        ([every_minute("a")], None),
    ],
)
def test_what_a_pause_owes_is_decided_before_an_edit(
    reloading: Reloading, after: list[ScheduleSpec], reason: str | None
) -> None:
    """
    The new rule cannot say anything about the fire times of the old one; without an edit the pause goes on.
    """
    reloading.config = reloading.with_schedules(every_minute("a"))
    reloading.reloader.reload()
    with reloading.daemon.rig.database.writing() as conn:
        schedules.pause(conn, "a", who="ann", note="", at_us=to_us(START))
    reloading.daemon.scheduler.take_over_schedules()
    reloading.daemon.now = minute(2)
    reloading.config = reloading.with_schedules(*after)
    reloading.reloader.reload()

    assert ([f"10:01 {reason}", f"10:02 {reason}"] if reason else []) == reloading.daemon.rig.slots("a")


def test_a_renamed_schedule_leaves_a_row_for_each_fire_time(reloading: Reloading) -> None:
    """
    Also when it was renamed while the daemon was down: the old name starts nothing, the new one owes nothing.
    """
    reloading.config = reloading.with_schedules(every_minute("a"))
    reloading.reloader.reload()
    reloading.daemon.now = minute(2)
    reloading.reloader.config = reloading.with_schedules(every_minute("b"))
    reloading.reloader.sync_schedules()

    assert ["10:01 removed", "10:02 removed"] == reloading.daemon.rig.slots("a")
    assert ([], minute(3)) == (
        reloading.daemon.rig.slots("b"),
        reloading.daemon.scheduler.board.entries["b"].next_fire,
    )


def test_a_restart_uses_the_schedules_before_the_files_are_loaded(reloading: Reloading) -> None:
    """
    With the flows that the store knows: starting on time does not wait for imports.
    """
    reloading.reloader.config = reloading.with_schedules(every_minute("a"))
    reloading.reloader.sync_schedules()

    assert ["a"] == reloading.names()


def test_a_first_load_that_is_refused_is_over_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nobody waits for it any more.
    """
    daemon = Daemon(rig, monkeypatch)
    daemon.load()
    made = Reloading(daemon)
    made.reloader.config = made.with_schedules(every_minute("a", flow="lost"))

    with pytest.raises(ConfigError, match="lost"):
        made.reloader.first_load()
    assert made.reloader.has_loaded.is_set()


def test_of_two_flows_of_one_name_the_second_is_broken() -> None:
    """
    The first goes on, and the sentence names both files.
    """
    other = Description(file="/flows/other.py", flows=(flow_spec("load"), flow_spec("other")), warnings=("w",))
    loaded = collect([GOOD, other, Description(file="/flows/bad.py", error="no such module")])

    assert ["load", "other"] == [flow.name for flow in loaded.flows]
    assert ("/flows/bad.py", "no such module") == loaded.errors[-1]
    assert "flow 'load' is in /flows/load.py already" in loaded.errors[0][1]
    assert ("w",) == loaded.warnings
    assert Path(loaded.flows[0].file).name == "load.py"


def in_code(name: str, flow: str = "load", **more: object) -> ScheduleSpec:
    """
    Return a schedule as a flow file has it.
    """
    return replace_struct(every_minute(name, flow=flow), in_code=True, **more)


def described(*specs: ScheduleSpec, source_hash: str = "aa", flow: str = "load") -> Description:
    """
    Return a flow file with these schedules.
    """
    spec = replace_struct(flow_spec(flow), schedules=specs, source_hash=source_hash)
    return Description(file=spec.file, source_hash=source_hash, flows=(spec,))


def test_a_schedule_in_code_is_taken_up_and_leaves_with_its_flow(reloading: Reloading) -> None:
    """
    It is on the board after a load, and gone when its file has it no longer.
    """
    reloading.descriptions = [described(in_code("load"), in_code("load-2"))]
    reloading.reloader.first_load()
    assert reloading.names() == ["load", "load-2"]

    reloading.descriptions = [GOOD]
    answer = reloading.reloader.reload()

    assert reloading.names() == []
    assert answer["changes"] == ["schedule load is gone", "schedule load-2 is gone", "flow load changed"]


def test_a_schedule_of_the_config_replaces_those_in_code(reloading: Reloading) -> None:
    """
    All of the same flow, whatever their names.
    """
    reloading.descriptions = [described(in_code("load"), in_code("load-2"))]
    reloading.reloader.first_load()
    reloading.config = reloading.with_schedules(every_minute("mine"))
    reloading.reloader.reload()

    assert reloading.names() == ["mine"]


def test_a_name_that_is_taken_is_told_of(reloading: Reloading) -> None:
    """
    A schedule in code whose name the config gives to another flow's is left out, with a warning.
    """
    reloading.descriptions = [described(in_code("load")), described(flow="other")]
    reloading.config = reloading.with_schedules(every_minute("load", flow="other"))
    reloading.reloader.reload()

    assert reloading.names() == ["load"]
    assert "flow 'other' has one of the name 'load'" in reloading.reloader.loaded.warnings[0]


def test_a_file_that_stops_loading_keeps_its_schedules(reloading: Reloading) -> None:
    """
    Through reloads and a restart, until it loads without them.
    """
    reloading.descriptions = [described(in_code("load"))]
    reloading.reloader.first_load()
    reloading.descriptions = [BROKEN]
    reloading.reloader.reload()
    assert reloading.names() == ["load"]

    reloading.reloader.config = reloading.with_schedules()
    reloading.reloader.sync_schedules()
    assert reloading.names() == ["load"]

    reloading.reloader.first_load()
    assert reloading.names() == ["load"]


@pytest.mark.parametrize(
    ("moved", "source_hash", "is_kept"),
    [
        (timedelta(minutes=7), "aa", True),
        (timedelta(minutes=7), "bb", True),
        (timedelta(hours=7), "aa", True),
        (timedelta(hours=7), "bb", False),
        (timedelta(days=-400), "aa", False),
    ],
)
def test_a_start_that_the_import_makes_keeps_its_phase(
    reloading: Reloading, moved: timedelta, source_hash: str, *, is_kept: bool
) -> None:
    """
    ``start_date=now()`` says another time at each reload; what is kept makes no version of flow or schedule.
    """

    def from_then(moved: timedelta) -> ScheduleSpec:
        start, end = START + moved, START + moved + timedelta(days=9)
        return in_code("load", anchor=start.isoformat(), starts_at=start.isoformat(), ends_at=end.isoformat())

    first, second = from_then(timedelta()), from_then(moved)
    reloading.descriptions = [described(first)]
    reloading.reloader.first_load()
    board = reloading.daemon.scheduler.board
    version = board.flows["load"].version
    reloading.descriptions = [described(second, source_hash=source_hash)]
    reloading.reloader.reload()

    assert board.entries["load"].row.spec == (first if is_kept else second)
    assert board.flows["load"].version == version + (not is_kept or source_hash != "aa")


def asked_spec(*numbers: int, known_until: int) -> ScheduleSpec:
    """
    Return a schedule that the flow's own code has said: these minutes, known until that one.
    """
    return ScheduleSpec(
        name="load",
        flow="load",
        kind=RuleKind.DATES,
        dates=tuple(minute(number).isoformat() for number in numbers),
        known_until=minute(known_until).isoformat(),
        in_code=True,
    )


def test_a_file_is_asked_again_by_itself_and_alone(reloading: Reloading) -> None:
    """
    At half of what is known: what was owed stays owed, and neither flow nor reload shows a change.
    """
    other = Description(file="/flows/other.py", flows=(flow_spec("other"),))
    reloading.descriptions = [described(asked_spec(1, 2, known_until=4)), other]
    reloading.reloader.first_load()
    version = reloading.daemon.scheduler.board.flows["load"].version
    assert reloading.reloader.to_ask() == []

    reloading.daemon.now = minute(2)
    assert list(map(str, reloading.reloader.to_ask())) == ["/flows/load.py"]
    reloading.descriptions = [described(asked_spec(3, 5, known_until=6))]
    reloading.reloader.ask_again()
    reloading.daemon.now = minute(5)
    reloading.daemon.tick()

    assert reloading.daemon.rig.slots("load") == [
        "10:01 newer_fire",
        "10:02 on_time",
        "10:03 newer_fire",
        "10:05 overlap",
    ]
    assert reloading.daemon.scheduler.board.flows["load"].version == version
    assert reloading.reloader.to_ask() != []


@pytest.mark.parametrize("is_broken", [True, False])
def test_what_cannot_be_asked_keeps_what_is_known(reloading: Reloading, *, is_broken: bool) -> None:
    """
    A file that loads no longer, and one whose schedule raises, which is asked again after a while.
    """
    reloading.descriptions = [described(asked_spec(1, 2, 90, known_until=100))]
    reloading.reloader.first_load()
    reloading.daemon.now = minute(60)
    mute = replace_struct(described(), flows=(replace_struct(flow_spec("load"), unasked="it raised"),))
    reloading.descriptions = [BROKEN if is_broken else mute]
    reloading.reloader.ask_again()

    assert reloading.names() == ["load"]
    assert reloading.reloader.to_ask() == []
    assert [why for _, why in reloading.reloader.loaded.errors] == [
        f"{BROKEN.error}; the fire times of its schedule load are known until {iso(minute(100))}"
    ] * is_broken
