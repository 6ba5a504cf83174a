"""
Runs a flow once for the daemon.
"""

from collections.abc import Mapping
from typing import Any

from orchd.engine.flow_runner import LOG
from orchd.engine.kept_caches import KeptCaches
from orchd.engine.logs import RecorderHandler, only_to
from orchd.engine.recorder import Recorder
from orchd.engine.state import Failed, State
from orchd.flow.attempts import Keeping
from orchd.flow.flow import Flow
from orchd.flow.running import parameter_values, run_flow
from orchd.model.states import FlowRunState


def execute(
    flow: Flow,
    *,
    spec_parameters: dict[str, object],
    recorder: Recorder,
    context: Mapping[str, object],
    keeping: Keeping | None = None,
    caches: str | None = None,
) -> State:
    """
    Run *flow* once, tell *recorder* everything, and return its final state.

    Results are stored, and log lines go to *recorder* instead of the terminal. KeyboardInterrupt and SystemExit of
    task code go through, without a word of the flow's end to *recorder*.

    Args:
        spec_parameters: values by name; a wrong name or a missing value gives a failed flow.

        context: keys of ``orchd.context``: ``flow_run_id``, ``flow_run_name``, ``scheduled_start_time`` (aware, or ISO
            text), ``upstream_runs`` ...

        keeping: where results are kept for a later attempt, and the one to go on from.

        caches: folder of results that stand for further runs; None keeps them in this process only.
    """
    keys: dict[str, Any] = {"checkpointing": True, "upstream_runs": {}, **context}
    if caches is not None:
        keys["caches"] = KeptCaches(caches)

    with only_to(RecorderHandler(recorder)):
        try:
            parameters = parameter_values(flow, spec_parameters)
        except ValueError as exc:
            LOG.error("%s", exc)
            state: State = Failed(message=str(exc), result=exc)
        else:
            state = run_flow(flow, parameters=parameters, keys=keys, recorder=recorder, task_states={}, keeping=keeping)

    recorder.flow(
        state=FlowRunState.SUCCESS if state.is_successful() else FlowRunState.FAILED, message=state.message or ""
    )
    return state
