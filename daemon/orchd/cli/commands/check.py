"""
``orchd check``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from orchd import config
from orchd.cli import table
from orchd.cli.arguments import Parser, add_examples
from orchd.cli.safe import complain, safe
from orchd.config.problems import ConfigProblems
from orchd.errors import ConfigError, FlowError
from orchd.model.instants import iso
from orchd.model.specs import Description, FlowSpec, ScheduleSpec
from orchd.processes.envfile import read_env_file
from orchd.results.secrets import read_secrets_file, secrets_file


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "--config",
        metavar="PATH",
        default=os.environ.get("ORCHD_CONFIG"),
        help="a config file, or a folder of them (default: $ORCHD_CONFIG, else every default)",
    )
    parser.add_argument(
        "--fix",
        metavar="FILE",
        nargs="+",
        help="rewrite the imports of the classic tool in these flow files to orchd's, and check nothing else",
    )
    add_examples(
        parser,
        "orchd check --config my-flows",
        "orchd check --fix my-flows/flows/old.py",
        "orchd check --config /etc/orchd && orchd reload      exit code: 0 good, 78 config, 65 flow file",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print one line for each problem; the exit code says of what kind the worst is.
    """
    if args.fix:
        return max([_fix(Path(file)) for file in args.fix])

    examined = config.examine(Path(args.config) if args.config else None, env=os.environ)
    loaded, problems = examined.config, list(examined.problems)
    env_file = _env_file(loaded, problems)
    problems += _secrets_problems(env_file)
    files = config.flow_files(loaded.flows.paths)
    limit_s = loaded.flows.describe_timeout.total_seconds()
    describe = table.part("describe").describe_in_child
    old = loaded.flows.prefect_imports
    every = [describe(file, time_limit_s=limit_s, env_file=env_file, prefect_imports=old) for file in files]
    described = config.without_helpers(every, loaded.flows.paths)
    for description in described:
        for warning in (*description.warnings, *_absences(description)):
            complain(f"warning: {warning}")
        for note in _notes(description):
            print(safe(f"note: {note}"))
    flows, broken = _by_name(described)
    problems += _mistakes(loaded, flows, is_whole=examined.is_whole and not broken)
    schedules, wrong, warnings = table.part("ahead").look_ahead(loaded, flows)
    problems += wrong
    for warning in warnings:
        complain(f"warning: {warning}")
    if problems or broken:
        for problem in [*problems, *broken]:
            complain(problem)
        return ConfigError.exit_code if problems else FlowError.exit_code

    read = ", ".join(map(str, loaded.files)) or "no file, every default"
    print(f"config: {read}: good")
    print(f"flows: {len(flows)} in {len(described)} file{'' if len(described) == 1 else 's'}: good")
    in_code = sum(spec.in_code for spec in schedules)
    print(f"schedules: {len(schedules)}{f', {in_code} of them in flow files' if in_code else ''}: good")
    return 0


def _fix(file: Path) -> int:
    fixed = table.part("old_names").fix_file(file)
    print(f"{safe(str(file))}: {len(fixed.changes) or 'no'} change{'' if len(fixed.changes) == 1 else 's'}")
    for change in fixed.changes:
        print(safe(f"  line {change.line}: {change.old} -> {change.new}"))

    for line, text in fixed.texts:
        complain(f"warning: {file}, line {line}: the text {text!r} stays; write what it means with orchd")

    for absence in fixed.left:
        complain(f"{file}, line {absence.line}: {absence.why}")

    return FlowError.exit_code if fixed.left else 0


def _absences(description: Description) -> list[str]:
    found = table.part("old_names").absences_in(Path(description.file))
    return [
        f"{description.file}, line {absence.line}: {absence.why}"
        for absence in found
        if absence.why not in (description.error or "")
    ]


def _notes(description: Description) -> list[str]:
    told = [(flow.name, note) for flow in description.flows for note in flow.notes]
    told += [
        (flow.name, f"the fire times of schedule {spec.name} are asked of its code ahead, known until {_utc(spec)}")
        for flow in description.flows
        for spec in flow.schedules
        if spec.known_until is not None
    ]
    return [f"{description.file}: flow '{flow}': {note}" for flow, note in told]


def _utc(asked: ScheduleSpec) -> str:
    return iso(datetime.fromisoformat(asked.known_until or ""))


def _env_file(loaded: config.Config, problems: list[str]) -> Path | None:
    path = loaded.flows.env_file
    if path is None or not path.exists():
        return None

    try:
        read_env_file(path)
    except ConfigError as error:
        problems.append(str(error))
        return None

    return path


def _secrets_problems(env_file: Path | None) -> list[str]:
    path = secrets_file({**os.environ, **(read_env_file(env_file) if env_file else {})})
    try:
        if path is not None:
            read_secrets_file(path)
    except ConfigError as error:
        return [str(error)]

    return []


def _by_name(described: Sequence[Description]) -> tuple[dict[str, FlowSpec], list[str]]:
    flows: dict[str, FlowSpec] = {}
    broken = [f"{item.file}: {item.error}" for item in described if item.error]
    for flow in (flow for description in described for flow in description.flows):
        if flow.name in flows:
            other = flows[flow.name].file
            broken.append(f"{flow.file}: the flow '{flow.name}' is in {other}, too; rename one of them")
        flows.setdefault(flow.name, flow)
    return flows, broken


def _mistakes(loaded: config.Config, flows: dict[str, FlowSpec], *, is_whole: bool) -> list[str]:
    unknown: tuple[str, ...] = ()
    try:
        config.check_flows(loaded, flows.keys(), is_whole)
    except ConfigProblems as error:
        unknown = error.problems
    return [*unknown, *config.parameter_problems(loaded, flows)]
