"""
Runs a flow once for the daemon.
"""

from collections.abc import Mapping

from orchd.engine.recorder import Recorder
from orchd.engine.state import State
from orchd.flow.flow import Flow


def execute(
    flow: Flow, *, spec_parameters: dict[str, object], recorder: Recorder, context: Mapping[str, object]
) -> State:
    """
    Run *flow* once, tell *recorder* everything, and return its final state.
    """
    raise NotImplementedError(flow, spec_parameters, recorder, context)
