"""
``orchd check``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from orchd import config
from orchd.cli import table
from orchd.cli.arguments import Parser, add_examples
from orchd.config.problems import ConfigProblems
from orchd.errors import ConfigError, FlowError
from orchd.model.specs import Description, FlowSpec


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
    add_examples(
        parser,
        "orchd check --config my-flows",
        "orchd check --config /etc/orchd && orchd reload      exit code: 0 good, 78 config, 65 flow file",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print one line for each problem; the exit code says of what kind the worst is.
    """
    try:
        loaded = config.load(Path(args.config) if args.config else None, env=os.environ)
    except ConfigProblems as error:
        return _refuse(error.problems, ConfigError.exit_code)

    files = config.flow_files(loaded.flows.paths)
    limit_s = loaded.flows.describe_timeout.total_seconds()
    describe = table.part("describe").describe_in_child
    described = [describe(file, time_limit_s=limit_s, env_file=loaded.flows.env_file) for file in files]
    for description in described:
        for warning in description.warnings:
            print(f"orchd: warning: {description.file}: {warning}", file=sys.stderr)
    broken = [f"{item.file}: {item.error}" for item in described if item.error]
    flows, doubles = _by_name(described)
    problems = [] if broken else _mistakes(loaded, flows)
    if broken or doubles or problems:
        code = ConfigError.exit_code if problems else FlowError.exit_code
        return _refuse([*broken, *doubles, *problems], code)

    read = ", ".join(map(str, loaded.files)) or "no file, every default"
    print(f"config: {read}: good")
    print(f"flows: {len(flows)} in {len(files)} file{'' if len(files) == 1 else 's'}: good")
    print(f"schedules: {len(loaded.schedules)}: good")
    return 0


def _refuse(problems: list[str] | tuple[str, ...], code: int) -> int:
    for problem in problems:
        print(f"orchd: {problem}", file=sys.stderr)
    return code


def _by_name(described: list[Description]) -> tuple[dict[str, FlowSpec], list[str]]:
    flows: dict[str, FlowSpec] = {}
    doubles = []
    for flow in (flow for description in described for flow in description.flows):
        if flow.name in flows:
            other = flows[flow.name].file
            doubles.append(f"{flow.file}: the flow '{flow.name}' is in {other}, too; rename one of them")
        flows.setdefault(flow.name, flow)
    return flows, doubles


def _mistakes(loaded: config.Config, flows: dict[str, FlowSpec]) -> list[str]:
    try:
        config.check_flows(loaded, flows.keys(), True)
    except ConfigProblems as error:
        return list(error.problems)

    return config.parameter_problems(loaded, flows)
