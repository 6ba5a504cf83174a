"""
Ids of runs, and the readable names made from them.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import NewType, TypeVar

from orchd.model.instants import to_us

FlowRunId = NewType("FlowRunId", str)

V = TypeVar("V")

#: Namespace of the ids of scheduled runs. Never change it: the same slot must give the same id for ever.
SLOT_NAMESPACE = uuid.UUID("5a0ce3f0-6d5b-4c55-9c5b-0c1f8a6f7e11")

_MOODS = tuple(
    """
    amber bold brave breezy bright brisk calm candid cheery clever cosmic crisp curious dapper daring deft eager
    early easy fabled fair fancy fond frosty gentle giddy glad golden grand happy hardy hasty humble jolly keen
    kind lively loyal lucid lucky mellow merry mighty modest neat nimble noble patient plucky polite proud quick
    quiet rapid ready rosy serene sharp shiny silent sleek smooth snappy solid spry steady stoic sturdy sunny
    swift tidy trusty upbeat vivid warm wise witty zesty
    """.split()
)
_ANIMALS = tuple(
    """
    ant auk bat bear beaver bee bison boar bull camel cat civet cobra cod colt coot crab crane crow deer dingo
    dog dove duck eagle eel egret elk emu ermine falcon finch fox frog gecko gnu goat goose grouse gull hare
    hawk hen heron hippo horse ibex ibis iguana jackal jay kite kiwi koala lark lemur lion lynx magpie marten
    mink mole moose moth mouse mule newt ocelot okapi orca otter owl panda perch pike plover pony puffin puma
    quail rabbit raven robin rook salmon seal shark sheep shrew skunk sloth snail snipe stork swan swift tapir
    tern tiger toad trout tuna viper vole walrus wasp weasel whale wolf wombat wren yak zebra
    """.split()
)


def slot_run_id(*, schedule: str, fire_time: datetime, attempt: int) -> FlowRunId:
    """
    Return the id of the run that stands for *fire_time* of *schedule*: the same on every machine, for ever.

    Args:
        schedule: name of the schedule, which is its identity.

        fire_time: aware; only its UTC microseconds count.

        attempt: 1 for the first.
    """
    return FlowRunId(str(uuid.uuid5(SLOT_NAMESPACE, f"{schedule}@{to_us(fire_time)}#{attempt}")))


def next_attempt_id(run_id: FlowRunId, *, schedule: str | None, fire_time: datetime | None, attempt: int) -> FlowRunId:
    """
    Return the id of the run that goes on from *run_id*, which is that *attempt* of its slot, or was started by hand.

    There is only one, so that nobody can resume a run twice.
    """
    if schedule is not None and fire_time is not None:
        return slot_run_id(schedule=schedule, fire_time=fire_time, attempt=attempt + 1)

    return FlowRunId(str(uuid.uuid5(SLOT_NAMESPACE, f"{run_id}#{attempt + 1}")))


def run_key(*, schedule: str | None, fire_time: datetime | None, attempt: int, run_id: FlowRunId) -> str:
    """
    Return the text given to user code as ``ORCHD_RUN_KEY``, to make its own effects idempotent.

    A scheduled run gives ``schedule@UTC time#attempt``, any other ``run id#attempt``.
    """
    if schedule is None or fire_time is None:
        return f"{run_id}#{attempt}"

    return f"{schedule}@{fire_time.isoformat()}#{attempt}"


def run_name(run_id: FlowRunId) -> str:
    """
    Return the readable name of a run, made from its id: ``calm-otter-3f2a1c``.
    """
    number = int(run_id.replace("-", ""), 16)
    mood = _MOODS[number % len(_MOODS)]
    animal = _ANIMALS[number // len(_MOODS) % len(_ANIMALS)]
    return f"{mood}-{animal}-{number >> 104:06x}"


def with_run_name(fields: Mapping[str, V]) -> dict[str, V | str]:
    """
    Return *fields* of a sentence with names in place of the ids of ``run`` and ``runs``, which nobody remembers.
    """
    named: dict[str, V | str] = {**fields}
    for key in ("run", "runs"):
        if isinstance(ids := fields.get(key), str) and ids:
            named[key] = ", ".join(run_name(FlowRunId(run_id)) for run_id in ids.split(", "))
    return named
