"""
Branches, resources and operators in flows, as our own words say them.
"""

import pytest

from orchd import Flow, Parameter, apply_map, case, flatten, ifelse, merge, resource_manager, switch, tags, task
from orchd.flow.control_flow import FilterTask
from support.recording import executed


@task
def same(x):
    """
    Return *x*.
    """
    return x


def results(flow, **parameters):
    """
    Return the result of each task by its slug, and the final state.
    """
    state, _ = executed(flow, **parameters)
    return {flow.slugs[each]: ended.result for each, ended in state.result.items()}, state


@pytest.mark.parametrize(("value", "taken"), [(1, "low"), (2, "high"), (3, None)])
def test_only_the_branch_that_fits_runs(value, taken):
    """
    Tasks of the other blocks are skipped, and merge gives what ran.
    """
    with Flow("f") as flow:
        number = Parameter("n")
        with case(number, 1):
            low = same("low")
        with case(number, 2):
            high = same(same("high"))
        merge(low, high)

    got, state = results(flow, n=value)

    assert state.is_successful()
    assert got["Merge-1"] == taken


def test_branches_by_a_table_and_by_truth():
    """
    switch compares, ifelse asks whether the result counts as true.
    """
    with Flow("f") as flow:
        table = {word: same(word) for word in ("a", "b")}
        switch(Parameter("word"), table)
        yes, no = same("yes"), same("no")
        ifelse(Parameter("list"), yes, no)
        merge(*table.values(), name="word merged")
        merge(yes, no, name="truth merged")

    got, _ = results(flow, word="b", list=[])

    assert (got["word merged-1"], got["truth merged-1"]) == ("b", "no")


def test_more_than_nine_branches_keep_their_order():
    """
    The tenth comes after the second.
    """
    with Flow("f") as flow:
        merge(*(same(None if number in (0, 1) else number) for number in range(12)))

    assert results(flow)[0]["Merge-1"] == 2


def test_a_resource_is_cleaned_up_after_a_failure():
    """
    Cleanup runs when all tasks of the block are over, and does not decide the flow.
    """
    done = []

    @resource_manager
    class Cluster:
        """
        Something that must be closed.
        """

        def __init__(self, size):
            self.size = size

        def setup(self):
            done.append("setup")
            return self.size

        def cleanup(self, resource):
            done.append(f"cleanup {resource}")

    with Flow("f") as flow, Cluster(3) as cluster:
        task(lambda size: 1 / 0, name="breaks")(cluster)

    _, state = results(flow)

    assert done == ["setup", "cleanup 3"]
    assert state.message == "Some reference tasks failed."


def test_a_function_that_builds_tasks_is_mapped():
    """
    Each task that apply_map's function makes has a child for each element.
    """

    def built(x):
        with case(same(x), 2):
            two = same("two")
        return merge(two, x)

    with Flow("f") as flow:
        last = same(apply_map(built, [1, 2, 3]))

    state, _ = executed(flow)

    assert state.result[last].result == [1, "two", 3]


def test_operators_are_tasks():
    """
    Arithmetic, comparisons and indexes of tasks become tasks, in both directions.
    """
    with Flow("f") as flow:
        a, values = Parameter("a"), same({"k": [10, 20]})
        (10 - a) * 2 + a**2
        values["k"][a]
        (a > 0).is_equal(True)

    got, _ = results(flow, a=1)

    assert (got["Add-1"], got["same['k'][a]-1"], got["Equal-1"]) == (19, 20, True)


def test_results_are_taken_apart():
    """
    With nout, or a tuple's length in the annotation, a task's result is unpacked.
    """

    @task
    def pair() -> tuple[int, str]:
        return 1, "x"

    with Flow("f") as flow:
        number, text = pair()
        same([text, number])

    assert results(flow)[0]["same-1"] == ["x", 1]


def test_filters_drop_failures():
    """
    FilterTask lets a list go on without the children that failed.
    """
    with Flow("f") as flow:
        kept = FilterTask(log_func=lambda dropped: f"dropped {len(dropped)}")(
            task(lambda x: 1 // x, name="divides").map(flatten([[1], [0]]))
        )

    state, told = executed(flow)

    assert state.result[kept].result == [1]
    assert "dropped 1" in told.texts()


def test_a_flow_is_changed_as_a_whole():
    """
    Replace, update and copy keep what hangs on the tasks.
    """
    with Flow("a") as first:
        one = same(1)
        two = same(one)
    with Flow("b") as second, tags("new"):
        Parameter("p", default=5)()

    copied = first.copy()
    first.replace(one, 7)
    first.update(second)

    assert results(first)[0]["same-2"] == 7
    assert first.get_tasks(task_type=Parameter)[0].tags == {"new"}
    assert copied.tasks == {one, two}
    assert first.serialized_hash() != copied.serialized_hash() == copied.copy().serialized_hash()


def test_a_flow_is_saved_and_loaded(tmp_path):
    """
    The file holds the flow with its code.
    """
    with Flow("My Flow!") as flow:
        same(3)

    loaded = Flow.load(flow.save(tmp_path / "flow"))

    assert executed(loaded)[0].is_successful()
    assert loaded.name == "My Flow!"
