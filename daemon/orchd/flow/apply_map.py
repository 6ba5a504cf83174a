"""
Maps a function that builds several tasks.
"""

from collections.abc import Callable
from typing import Any

from orchd.engine.context import context
from orchd.flow.annotations import Annotated, unwrapped
from orchd.flow.collections import Constant, as_task
from orchd.flow.flow import Flow
from orchd.flow.task import Task


def apply_map(func: Callable[..., Any], *args: object, flow: Flow | None = None, **kwargs: Any) -> Any:
    """
    Call *func* once with tasks for its arguments, and map every task that it makes over those that are not `unmapped`.

    Returns:
        What *func* returns.

    Raises:
        ValueError: there is no flow.

        TypeError: an argument has no elements.
    """
    target: Flow | None = flow if flow is not None else context.get("flow")
    if target is None:
        raise ValueError("Couldn't infer a flow in the current context")

    given = [unwrapped(each, is_mapped=True) for each in (*args, *kwargs.values())]
    for each in given:
        if each.is_mapped and not isinstance(each.value, Task) and not hasattr(each.value, "__getitem__"):
            raise TypeError(f"Cannot map over non-sequence object of type `{type(each.value).__name__}`")

    sources = {as_task(each.value, target): each for each in given}
    inside = Flow("mapped")
    for task in sources:
        inside.add_task(task)

    tasks = list(sources)
    with inside, context(mapped=True, case=None, resource=None):
        built = func(*tasks[: len(args)], **dict(zip(kwargs, tasks[len(args) :], strict=True)))

    _take_over(inside, target, sources)
    return built


def _take_over(inside: Flow, target: Flow, sources: dict[Task, Annotated]) -> None:
    for task in inside.slugs:
        if task not in sources:
            target.add_task(task)

    for edge in inside.graph_edges():
        above = edge.upstream_task
        source = sources.get(above)
        if source is not None and isinstance(above, Constant) and not source.is_mapped and edge.key is not None:
            target.constants.setdefault(edge.downstream_task, {})[edge.key] = above.value
            continue

        plain = isinstance(above, Constant) and source is None
        target.add_edge(
            above,
            edge.downstream_task,
            edge.key,
            mapped=not plain if source is None else source.is_mapped,
            flattened=edge.flattened or (source is not None and source.is_flattened),
        )

    for task, values in inside.constants.items():
        target.constants.setdefault(task, {}).update(values)

    for task in inside.slugs:
        if task not in sources:
            _reach_all(task, inside, target, sources)


def _reach_all(task: Task, inside: Flow, target: Flow, sources: dict[Task, Annotated]) -> None:
    """
    Let *task* wait for every mapped argument, if not through others then by an edge of its own.
    """
    above: set[Task] = set()
    waiting = [task]
    while waiting:
        for each in inside.upstream_tasks(waiting.pop()):
            if each not in above:
                above.add(each)
                waiting.append(each)

    if isinstance(task, Constant):
        return

    for source, said in sources.items():
        if said.is_mapped and source not in above and not (above - set(sources)):
            target.add_edge(source, task, mapped=True)
