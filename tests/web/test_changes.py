"""
What is said to have changed between two versions of a flow.
"""

from typing import Any

import msgspec
import pytest

from orchd.model.specs import EdgeSpec, FlowSpec, ParameterSpec, RuleKind, ScheduleSpec, TaskSpec
from orchd.store.queries import VersionView
from orchd.web.pages.changes import changes

A, B = (TaskSpec(slug=slug, name=slug.upper()) for slug in "ab")
P, Q = (ParameterSpec(name=name, required=False, default=1) for name in "pq")
AB = EdgeSpec(upstream="a", downstream="b")
DAILY = ScheduleSpec(name="f", flow="f", kind=RuleKind.CRON, rule="0 2 * * *")
OLD = FlowSpec(name="f", file="/f.py", source_hash="aa", tasks=(A, B), parameters=(P, Q), edges=(AB,))


def version(number: int, spec: FlowSpec) -> VersionView:
    """
    Return a version of a flow.
    """
    unsaid = dict.fromkeys(VersionView.__struct_fields__)
    return VersionView(**unsaid | {"version": number, "spec": spec})


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"source_hash": "bb"}, ["the file's text changed"]),
        ({"file": "/g.py"}, ["moved from /f.py"]),
        ({"tasks": (A, B, TaskSpec(slug="c", name="C"))}, ["task c is new"]),
        ({"tasks": (B,)}, ["task a is gone"]),
        ({"tasks": (A, TaskSpec(slug="b", name="B", max_retries=3))}, ["task b changed"]),
        ({"tasks": (B, A)}, []),
        ({"parameters": (P, Q, ParameterSpec(name="r", required=True))}, ["parameter r is new"]),
        ({"parameters": ()}, ["parameter p is gone", "parameter q is gone"]),
        ({"parameters": (P, ParameterSpec(name="q", required=False, default=2))}, ["parameter q changed"]),
        (
            {"parameters": (P, ParameterSpec(name="Q", required=False, default=1))},
            ["parameter Q is new", "parameter q is gone"],
        ),
        ({"edges": ()}, ["tasks are wired otherwise"]),
        ({"edges": (EdgeSpec(upstream="a", downstream="b", key="x"),)}, ["tasks are wired otherwise"]),
        ({"schedules": (DAILY,)}, ["the schedule in its code changed"]),
        ({"labels": ("gpu", "big")}, ["labels: gpu, big"]),
        (
            {"file": "/g.py", "tasks": (A,), "edges": (), "source_hash": "bb"},
            ["moved from /f.py", "task b is gone", "tasks are wired otherwise", "the file's text changed"],
        ),
    ],
)
def test_each_change_is_a_phrase(changed: dict[str, Any], told: list[str]) -> None:
    """
    What a person did, in the order of its weight; nothing for what means the same.
    """
    newest, _ = changes([version(2, msgspec.structs.replace(OLD, **changed)), version(1, OLD)])

    assert list(newest.changes) == told


def test_labels_that_are_gone() -> None:
    """
    Are none.
    """
    newest, _ = changes([version(2, OLD), version(1, msgspec.structs.replace(OLD, labels=("gpu",)))])

    assert newest.changes == ("labels: none",)


def test_each_is_compared_with_the_one_before() -> None:
    """
    Newest first; the first that is known has nothing to be compared with.
    """
    specs = [msgspec.structs.replace(OLD, source_hash=text) for text in ("cc", "bb", "bb")]
    found = changes([version(3 - n, spec) for n, spec in enumerate(specs)])

    assert [(each.view.version, each.changes) for each in found] == [
        (3, ("the file's text changed",)),
        (2, ()),
        (1, ()),
    ]


def test_no_version_is_no_change() -> None:
    """
    Of a flow that was never described.
    """
    assert changes([]) == []
