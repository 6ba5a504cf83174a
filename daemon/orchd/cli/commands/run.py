"""
``orchd run -p FILE``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from orchd.cli import table
from orchd.cli.arguments import Parser, add_examples
from orchd.cli.parameters import add_parameters, gather
from orchd.cli.safe import complain
from orchd.errors import NotFound


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument("-p", "--path", metavar="FILE", required=True, help="the flow file")
    parser.add_argument("--flow", "-n", "--name", metavar="NAME", help="which flow, when the file has several")
    add_parameters(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="only the log lines, not what stands around them")
    parser.add_argument(
        "--resume", action="store_true", help="go on from its last run that failed (where results are stored)"
    )
    parser.add_argument("--no-logs", action="store_true", help="no log lines")
    add_examples(
        parser,
        "orchd run -p data_engineering.py",
        "orchd run -p data_engineering.py --param test_data_ratio=0.3",
        "orchd run -p two_flows.py --flow load --param-file parameters.json",
        "orchd run -p hello.py && echo good      exit code: 1 the run failed, 64 wrong parameters,",
        "                                        65 the file does not load, 66 no such file or flow",
    )


def run(args: argparse.Namespace) -> int:
    """
    Run the flow here and now; its exit code is that of the command. Imports of the classic tool mean orchd's names.
    """
    file = Path(args.path)
    if not file.is_file():
        raise NotFound(f"there is no flow file {file.absolute()}; -p takes the path of a Python file")

    if (word := table.part("compat").offer(file)) is not None:
        complain(f"warning: {word}")
    return int(
        table.part("local").run_file(
            file,
            flow_name=args.flow,
            parameters=gather(args),
            quiet=args.quiet,
            logs=not args.no_logs,
            resume=args.resume,
        )
    )
