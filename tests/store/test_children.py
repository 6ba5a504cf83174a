"""
Parents, children and projects, in both databases.
"""

from pathlib import Path

import pytest

from orchd.errors import NotFound
from orchd.model.states import FlowRunState
from orchd.store import children, flows, projects, queries, runs
from orchd.store.database import Database
from store.making import add_run, flow_spec

S = FlowRunState


def test_a_run_is_found_by_its_parent(store: Database) -> None:
    """
    Oldest first, at most so many; those of others are not among them.
    """
    with store.writing() as conn:
        parent = add_run(conn)
        made = [add_run(conn, parent_run_id=parent.id) for _ in range(3)]
        add_run(conn, parent_run_id="somebody")

        assert children.children(conn, parent.id, limit=2) == made[:2]
        assert [child.id for child in queries.run_detail(conn, parent.id).children] == [run.id for run in made]
        detail = queries.run_detail(conn, made[0].id)
        assert detail.parent is not None
        assert (detail.parent.id, detail.parent_run_id) == (parent.id, parent.id)


def test_a_parent_that_is_purged_is_told_by_its_id_alone(store: Database) -> None:
    """
    Its children may be kept longer.
    """
    with store.writing() as conn:
        child = add_run(conn, parent_run_id="gone")
        detail = queries.run_detail(conn, child.id)

    assert (detail.parent, detail.parent_run_id) == (None, "gone")


def test_the_latest_child_of_a_call_is_found_by_the_beginning_of_its_key(store: Database) -> None:
    """
    Of any of the parents, and of no call whose name only looks alike.
    """
    with store.writing() as conn:
        first, second = add_run(conn), add_run(conn)
        add_run(conn, parent_run_id=first.id, idempotency_key="r/a_b#1.1")
        newest = add_run(conn, parent_run_id=second.id, idempotency_key="r/a_b#2.1")
        add_run(conn, parent_run_id=second.id, idempotency_key="r/axb#2.2")

        assert children.latest_child(conn, [second.id, first.id], key_prefix="r/a_b#") == newest
        assert children.latest_child(conn, [first.id], key_prefix="r/c#") is None


def test_the_lineage_of_a_run_leads_to_its_first_attempt(store: Database) -> None:
    """
    The newest first, as far as the store reaches.
    """
    with store.writing() as conn:
        first = add_run(conn, resumed_from="purged")
        second = add_run(conn, resumed_from=first.id)

        assert children.lineage(conn, second) == [second.id, first.id]


def test_the_ancestors_of_a_run_are_told_up_to_a_limit(store: Database) -> None:
    """
    The nearest first.
    """
    with store.writing() as conn:
        line = [add_run(conn)]
        for _ in range(3):
            line.append(add_run(conn, parent_run_id=line[-1].id))

        assert children.ancestors(conn, line[3], limit=9) == [line[2], line[1], line[0]]
        assert children.ancestors(conn, line[3], limit=2) == [line[2], line[1]]


def test_a_renamed_run_is_found_by_its_new_name(store: Database) -> None:
    """
    And by its old one no more.
    """
    with store.writing() as conn:
        run = add_run(conn, name="old")
        runs.rename(conn, run.id, "new")

        assert queries.find_run(conn, "new").id == run.id
        with pytest.raises(NotFound):
            queries.find_run(conn, "old")


def test_a_project_is_made_once_and_has_its_flows(store: Database) -> None:
    """
    A flow that is registered into another one moves there, and labels are those of the last time.
    """
    with store.writing() as conn:
        flows.record_flows(conn, [flow_spec("load"), flow_spec("report")], at_us=1)
        assert projects.create(conn, "a", at_us=5)
        assert not projects.create(conn, "a", at_us=6)
        projects.create(conn, "b", at_us=7)
        projects.put_flow(conn, "load", into="a", labels=["x"])
        projects.put_flow(conn, "report", into="a", labels=[])
        projects.put_flow(conn, "load", into="b", labels=["z", "y", "z"])
        told = queries.projects(conn)
        [load, report] = queries.flows(conn)

    assert [(each.name, each.flows) for each in told] == [("a", ("report",)), ("b", ("load",))]
    assert told[0].created_at == "1970-01-01T00:00:00.000005Z"
    assert (load.project, load.labels, report.project) == ("b", ("y", "z"), "a")


def test_no_flow_is_put_into_a_project_that_is_not_there(store: Database) -> None:
    """
    The sentence names the command that makes it.
    """
    with store.writing() as conn:
        flows.record_flows(conn, [flow_spec("load")], at_us=1)
        with pytest.raises(NotFound, match="Project no not found"):
            projects.put_flow(conn, "load", into="no", labels=[])


def test_a_registered_flow_is_kept_with_its_last_file(store: Database) -> None:
    """
    However often it is registered, until the config leads to it.
    """
    with store.writing() as conn:
        for name, file in (("own", "/x/old.py"), ("own", "/x/own.py"), ("own", "/x/own.py"), ("more", "/x/own.py")):
            projects.keep_registered(conn, name, Path(file), who="ann", at_us=1)
        assert projects.registered_flows(conn) == {Path("/x/own.py"): frozenset({"own", "more"})}

        projects.forget_registered(conn, "own")
        assert projects.registered_flows(conn) == {Path("/x/own.py"): frozenset({"more"})}
