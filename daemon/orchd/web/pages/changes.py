"""
What changed from one version of a flow to the next, in words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchd.model.specs import FlowSpec
from orchd.store.queries import VersionView


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """
    One version, and how it differs from the one before it.
    """

    view: VersionView
    #: Empty for the first one that is known.
    changes: tuple[str, ...]


def changes(versions: Sequence[VersionView]) -> list[VersionChange]:
    """
    Return what changed in each of *versions*, which come newest first.
    """
    olders: list[VersionView | None] = [*versions, None][1:]
    return [
        VersionChange(view=view, changes=() if older is None else tuple(_changes(older.spec, view.spec)))
        for view, older in zip(versions, olders, strict=True)
    ]


def _changes(old: FlowSpec, new: FlowSpec) -> Iterator[str]:
    if old.file != new.file:
        yield f"moved from {old.file}"
    yield from _named("task", {task.slug: task for task in old.tasks}, {task.slug: task for task in new.tasks})
    yield from _named("parameter", {p.name: p for p in old.parameters}, {p.name: p for p in new.parameters})
    if set(old.edges) != set(new.edges):
        yield "tasks are wired otherwise"
    if old.schedules != new.schedules:
        yield "the schedule in its code changed"
    if old.labels != new.labels:
        yield f"labels: {', '.join(new.labels) or 'none'}"
    if old.source_hash != new.source_hash:
        yield "the file's text changed"


def _named(kind: str, old: dict[str, object], new: dict[str, object]) -> Iterator[str]:
    yield from (f"{kind} {name} is new" for name in new if name not in old)
    yield from (f"{kind} {name} is gone" for name in old if name not in new)
    yield from (f"{kind} {name} changed" for name in new if name in old and old[name] != new[name])
