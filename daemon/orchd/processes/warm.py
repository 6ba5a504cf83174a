"""
Warming the spawner: what a run does first is done once before any fork, so that runs find it in memory.
"""

import gc
import hashlib
import time
from typing import Final

import msgspec

import orchd
from orchd.engine.recorder import NullRecorder
from orchd.flow.decorator import task
from orchd.flow.execute import execute
from orchd.flow.flow import Flow
from orchd.model.records import RunSpec

_ROUNDS: Final = 3


def warm_up() -> None:
    """
    Load every public name, run a small flow a few times, then put all objects out of the collector's sight.

    Forks share what is in memory until one of them writes to it: a collection in a fork would write to every object.
    """
    for name in orchd.__all__:
        getattr(orchd, name)
    with Flow("warm-up") as flow:
        _nothing(_nothing(None))
    spec = RunSpec(run_id="", run_name="", run_key="", flow="", file="", source_hash="")
    for _ in range(_ROUNDS):
        hashlib.sha256(msgspec.json.encode(spec)).hexdigest()
        compile("import orchd\n", "<warm-up>", "exec")
        execute(flow, spec_parameters={}, recorder=NullRecorder(), context={})
    time.tzset()
    gc.collect()
    gc.disable()
    gc.freeze()


@task
def _nothing(value: object) -> object:
    return value
