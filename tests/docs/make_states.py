"""
Writes ``daemon/docs/states.md`` from the tables of moves: ``python tests/docs/make_states.py``.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path

from orchd.model.states import (
    FINAL_FLOW_RUN_STATES,
    FINAL_TASK_RUN_STATES,
    FLOW_RUN_MOVES,
    TASK_RUN_MOVES,
    FlowRunState,
    TaskRunState,
)

PAGE = Path(__file__).parents[2] / "daemon" / "docs" / "states.md"


def page() -> str:
    """
    Return the whole page.
    """
    return "\n".join(
        [
            "# States",
            "",
            "Made from `daemon/orchd/model/states.py` by `python tests/docs/make_states.py`. A state moves by these",
            "tables only, each move with its event row in the same transaction.",
            "",
            "## Flow runs",
            "",
            *_diagram(FlowRunState, FLOW_RUN_MOVES, FINAL_FLOW_RUN_STATES, first=FlowRunState.SCHEDULED),
            "",
            "## Task runs",
            "",
            *_diagram(TaskRunState, TASK_RUN_MOVES, FINAL_TASK_RUN_STATES, first=TaskRunState.PENDING),
            "",
        ]
    )


def _diagram(
    states: type[FlowRunState] | type[TaskRunState],
    moves: Mapping[StrEnum, frozenset[StrEnum]],
    final: Collection[StrEnum],
    *,
    first: StrEnum,
) -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first.value}"]
    for source in states:
        lines += [f"    {source.value} --> {to.value}" for to in states if source in moves.get(to, ())]
    lines += [f"    {state.value} --> [*]" for state in states if state in final]
    lines += ["```", "", "| state | people see | may become |", "| --- | --- | --- |"]
    for state in states:
        targets = ", ".join(to.value for to in states if state in moves.get(to, ())) or "final"
        lines.append(f"| `{state.value}` | {state.shown} | {targets} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page())
