"""
From files to a resolved config.
"""

import dataclasses
import json
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from orchd import config
from orchd.cli.templates import ORCHD_TOML
from orchd.config import Config, FlowSettings
from orchd.errors import ConfigError
from orchd.model.specs import CatchUp, DayMove, FlowSpec, Overlap, ParameterSpec, RuleKind, When

ROOT = Path(__file__).parents[2]
ENV = {"HOME": "/home/ann", "TZ": "Europe/Vienna"}


def _load(folder: Path, text: str, **env: str) -> Config:
    (folder / "orchd.toml").write_text(text)
    return config.load(folder, env=ENV | env)


def test_an_empty_folder_is_every_default(tmp_path: Path) -> None:
    """
    A folder without any file gives the same config as no path at all.
    """
    empty = config.load(tmp_path, env=ENV)

    assert dataclasses.replace(empty, path=None) == config.load(None, env=ENV)
    assert (empty.daemon.store, empty.daemon.max_runs, empty.daemon.timezone) == ("sqlite", 8, "Europe/Vienna")
    assert empty.daemon.state_dir == Path("/home/ann/.local/state/orchd")
    assert empty.daemon.socket == Path("/home/ann/.local/state/orchd/orchd.sock")
    assert empty.retention.runs == timedelta(days=30)


def test_systemd_says_where_state_and_socket_are(tmp_path: Path) -> None:
    """
    STATE_DIRECTORY and RUNTIME_DIRECTORY win over the user's folders; the first of several counts.
    """
    daemon = _load(tmp_path, "", STATE_DIRECTORY="/var/lib/orchd:/x", RUNTIME_DIRECTORY="/run/orchd").daemon

    assert (daemon.state_dir, daemon.socket) == (Path("/var/lib/orchd"), Path("/run/orchd/orchd.sock"))


def test_paths_are_relative_to_their_file(tmp_path: Path) -> None:
    """
    A relative path is taken from the folder of the file that says it, and a `..` in it is resolved.
    """
    (tmp_path / "flows").mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "x.env").write_text("")
    text = '[daemon]\nstate_dir = "../state"\n[flows]\npaths = ["../flows"]\nenv_file = "x.env"\n'
    loaded = _load(tmp_path / "config", text)

    assert loaded.flows.paths == (tmp_path / "flows",)
    assert loaded.flows.env_file == tmp_path / "config" / "x.env"
    assert loaded.daemon.socket == tmp_path / "state" / "orchd.sock"


def test_files_of_a_folder_are_merged(tmp_path: Path) -> None:
    """
    Tables may be spread over files, key by key; other files of the folder are passed over.
    """
    (tmp_path / "a.toml").write_text('[daemon]\nmax_runs = 3\n[schedules.one]\nflow = "f"\ncron = "* * * * *"\n')
    (tmp_path / "b.toml").write_text('[daemon]\nstop_grace = "5s"\n[schedules.two]\nflow = "f"\nevery = "90s"\n')
    (tmp_path / "c.txt").write_text("no toml")
    loaded = config.load(tmp_path, env=ENV)

    assert (loaded.daemon.max_runs, loaded.daemon.stop_grace) == (3, timedelta(seconds=5))
    assert [spec.name for spec in loaded.schedules] == ["one", "two"]
    assert [file.name for file in loaded.files] == ["a.toml", "b.toml"]


def test_a_schedule_becomes_a_spec_with_every_default(tmp_path: Path) -> None:
    """
    What a schedule does not say is filled in: the zone of the daemon, skip, latest, no grace.
    """
    text = '[daemon]\ntimezone = "Asia/Tokyo"\n[schedules.n]\nflow = "f"\ncron = "0 2 * * *"\n'
    spec = _load(tmp_path, text).schedules[0]

    assert (spec.kind, spec.rule, spec.timezone) == (RuleKind.CRON, "0 2 * * *", "Asia/Tokyo")
    assert (spec.overlap, spec.catchup, spec.grace_s, spec.max_catchup) == (Overlap.SKIP, CatchUp.LATEST, None, 100)


def test_a_schedule_says_everything(tmp_path: Path) -> None:
    """
    Every key of a schedule reaches its spec.
    """
    text = """
    [schedules.n]
    flow = "f"
    every = "1d"
    anchor = 2026-01-01T00:00:00Z
    timezone = "America/New_York"
    parameters = { b = 1, a = "x" }
    overlap = "queue"
    catchup = "none"
    max_catchup = 5
    [schedules.after]
    flow = "g"
    after = ["f"]
    when = "finished"
    """
    first, second = _load(tmp_path, text).schedules

    assert (first.anchor, json.loads(first.parameters)) == ("2025-12-31T19:00:00", {"a": "x", "b": 1})
    assert (first.overlap, first.grace_s, first.max_catchup) == (Overlap.QUEUE, 60.0, 5)
    assert (second.kind, second.after, second.when) == (RuleKind.AFTER, ("f",), When.FINISHED)


def test_a_schedule_says_everything_of_times_and_days(tmp_path: Path) -> None:
    """
    Wall times and days are of the schedule's zone; a day that a window ends with counts whole.
    """
    text = """
    [calendars.holidays]
    days = [2026-12-25, "2026-12-31/2027-01-01"]
    [schedules.n]
    flow = "f"
    rrule = "FREQ=MONTHLY;BYDAY=-1FR"
    anchor = 2026-01-01T17:00:00
    timezone = "America/New_York"
    from = 2026-01-01
    until = 2026-12-31
    count = 9
    splay = "10m"
    next_business_day = ["holidays"]
    [schedules.d]
    flow = "f"
    timezone = "America/New_York"
    dates = [2026-06-02T08:00:00, 2026-06-01, 2026-06-01T04:00:00Z]
    until = 2026-06-03T00:00:00
    """
    first, second = _load(tmp_path, text).schedules

    assert (first.kind, first.rule, first.anchor) == (RuleKind.RRULE, "FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01T17:00:00")
    assert (first.starts_at, first.ends_at) == ("2026-01-01T05:00:00+00:00", "2027-01-01T05:00:00+00:00")
    assert (first.count, 0 <= first.splay_s < 600) == (9, True)
    assert [(each.name, each.days, each.move) for each in first.calendars] == [
        ("holidays", (("2026-12-25", "2026-12-25"), ("2026-12-31", "2027-01-01")), DayMove.NEXT_BUSINESS_DAY)
    ]
    assert second.dates == ("2026-06-01T04:00:00+00:00", "2026-06-02T12:00:00+00:00")
    assert second.ends_at == "2026-06-03T04:00:00+00:00"


def test_settings_of_a_flow(tmp_path: Path) -> None:
    """
    A flow has its own settings, and one that is not named has the defaults.
    """
    loaded = _load(tmp_path, '[flow.f]\ntimeout = "30m"\ngrace = "1.5s"\n')

    assert loaded.flow_settings("f") == FlowSettings(timeout=timedelta(minutes=30), grace=timedelta(seconds=1.5))
    assert loaded.flow_settings("other") == FlowSettings()


def test_equal_files_give_equal_configs(tmp_path: Path) -> None:
    """
    Reading the same files again gives an equal config, so that a reload can tell that nothing changed.
    """
    text = '[flow.f]\ntimeout = "30m"\n[schedules.n]\nflow = "f"\ncron = "0 2 * * *"\n'

    assert _load(tmp_path, text) == _load(tmp_path, text + "# a comment\n")


@pytest.mark.parametrize("text", [(ROOT / "config" / "orchd.toml").read_text(), ORCHD_TOML])
def test_what_is_commented_out_is_the_default(tmp_path: Path, text: str) -> None:
    """
    Each commented setting of the shipped config and of `orchd init` says the default, where it is the same everywhere.
    """
    lines = re.sub(r"(?m)^# ((?:\w+ = |\[)[^#\n]*?)( +#.*)?$", r"\1", text).splitlines()
    said = tomllib.loads("\n".join(line for line in lines if not line.startswith("[flow.")))
    default = config.load(None, env=ENV)
    stated = _load(tmp_path, '[daemon]\nmax_runs = 8\nstop_grace = "30s"\nmax_output = "256MiB"\n')

    assert said["daemon"]["max_runs"] == default.daemon.max_runs
    assert said["daemon"]["stop_grace"] == "30s"
    assert stated.daemon == default.daemon
    assert said["retention"] == {"runs": "30d", "files": "1d"}


def test_the_shipped_config_is_good() -> None:
    """
    The shipped config loads: data-engineer every minute, data-science after it.
    """
    first, second = config.load(ROOT / "config", env=ENV).schedules

    assert (first.flow, first.rule) == ("data-engineer", "* * * * *")
    assert (second.flow, second.after) == ("data-science", ("data-engineer",))


def test_flow_files_are_found_at_any_depth(tmp_path: Path) -> None:
    """
    Folders are searched for *.py; hidden and private ones are passed over, and no file is given twice.
    """
    for name in ("b.py", "sub/a.py", ".hidden/x.py", "_private.py", "sub/__pycache__/c.py", "notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("")

    assert config.flow_files([tmp_path, tmp_path / "b.py"]) == (tmp_path / "b.py", tmp_path / "sub" / "a.py")


def test_an_unknown_flow_is_refused_only_when_every_file_has_loaded(tmp_path: Path) -> None:
    """
    The flow may be in a file that is broken just now; only when none is, the name must be wrong.
    """
    loaded = _load(tmp_path, '[schedules.n]\nflow = "data-enginer"\ncron = "* * * * *"\n')
    config.check_flows(loaded, {"data-engineer"}, False)

    with pytest.raises(ConfigError, match=r"line 1: \[schedules.n\] names the flow 'data-enginer'.*'data-engineer'"):
        config.check_flows(loaded, {"data-engineer"}, True)


def test_parameters_of_a_schedule_must_be_the_flows(tmp_path: Path) -> None:
    """
    A parameter that the flow lacks, and a required one that is not given, are one sentence each.
    """
    loaded = _load(tmp_path, '[schedules.n]\nflow = "f"\ncron = "* * * * *"\nparameters = { rato = 1 }\n')
    parameters = (ParameterSpec(name="ratio", required=False), ParameterSpec(name="must", required=True))
    flow = FlowSpec(name="f", file="/f.py", source_hash="", parameters=parameters)
    first, second = config.parameter_problems(loaded, {"f": flow})

    assert first.endswith("parameters: the flow 'f' has no parameter 'rato'; did you mean 'ratio'?")
    assert "needs a parameter; write parameters = { must = ... }" in second
