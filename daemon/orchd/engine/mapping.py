"""
What a mapped task and each of its children see of the tasks above. Pure.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orchd.engine.reuse import SAME_AS, is_same
from orchd.engine.state import Failed, Mapped, State, Success
from orchd.graph.edges import Edge
from orchd.results.result import Result

READY: Final = "Ready to proceed with mapping."
NOTHING: Final = "No upstream states can be mapped over."
UNMAPPABLE: Final = "At least one upstream state has an unmappable result."
A_DICT: Final = "Cannot map over a dict; map over list(d.values()) or list(d.items()) instead."

#: Edges that are mapped -> what their elements are: one for each child.
Lanes = Mapping[Edge[Any], Sequence[Any]]


def counted(upstream: Mapping[Edge[Any], State]) -> Iterator[State]:
    """
    Give every state that a task waits for: of a mapped task above, its children, unless this one is mapped over them.
    """
    for edge, state in upstream.items():
        if isinstance(state, Mapped) and not edge.mapped:
            yield from state.map_states
        else:
            yield state


def judge_mapping(upstream: Mapping[Edge[Any], State], lanes: Lanes) -> State:
    """
    Return Mapped with the number of children, which is that of the shortest lane, or Failed with the reason.

    Args:
        lanes: those of edges that lead from mapped tasks; others are looked at by their results.
    """
    widths = []
    for edge, state in upstream.items():
        if not edge.mapped or not state.is_successful():
            continue

        if edge in lanes:
            widths.append(len(lanes[edge]))
        elif isinstance(state.result, dict):
            return Failed(message=A_DICT)
        elif not (hasattr(state.result, "__getitem__") and hasattr(state.result, "__len__")):
            return Failed(message=UNMAPPABLE)
        else:
            widths.append(len(state.result))

    return Mapped(message=READY, n_map_states=min(widths)) if widths else Failed(message=NOTHING)


def element(edge: Edge[Any], state: State, index: int) -> State:
    """
    Return what child *index* sees over *edge*: its element when it is mapped over the result of *state*.
    """
    if not edge.mapped or not state.is_successful():
        return state

    return with_value(state, state.result[index])


def gathered(parent: State, children: Sequence[State]) -> State:
    """
    Return the state of a mapped task: *parent* with the states of its children, their results as its own.
    """
    whole = copy.copy(parent)
    whole.result = [child.result for child in children]
    if isinstance(whole, Mapped):
        whole.map_states = list(children)

    return whole


def as_one(state: State) -> State:
    """
    Return a mapped task all of whose children ran and went well as one success, so that nobody need look at each of
    them again; any other state as it is.
    """
    if not isinstance(state, Mapped):
        return state

    if not all(child.is_successful() and not child.is_skipped() for child in state.map_states):
        return state

    context = {SAME_AS: state.context[SAME_AS]} if is_same(state) else None
    return Success(message=state.message, result=state._result, context=context)


def flattened(state: State) -> State:
    """
    Return *state* with a result that is one level flatter, and children that are its elements; itself if it is flat.
    """
    if isinstance(state, Mapped):
        children = [child for each in state.map_states for child in _parts(each)]
        whole = gathered(state, children)
        if isinstance(whole, Mapped):
            whole._n_map_states = None

        return whole

    try:
        values = [value for part in state.result for value in part]
    except TypeError:
        return state

    return with_value(state, values)


def _parts(child: State) -> list[State]:
    if not child.is_successful() or child.is_skipped():
        return [child]

    try:
        return [with_value(child, value) for value in child.result]
    except TypeError:
        return [child]


def with_value(state: State, value: Any) -> State:
    """
    Return a copy of *state* whose result is *value*.
    """
    new = copy.copy(state)
    new._result = Result(value=value)
    return new
