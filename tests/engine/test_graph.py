"""
Order, circles and edges of graphs.
"""

import copy
import itertools

import cloudpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd import Flow, task
from orchd.graph.edges import Edge
from orchd.graph.graph import build_graph, find_circle, ordered


class Item:
    """
    Something with a name, equal only to itself.
    """

    def __init__(self, name):
        self.name = name


ITEMS = [Item(f"t{number}") for number in range(12)]
PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] != pair[1]), max_size=40)


def graph_of(pairs):
    """
    Return the graph over ITEMS with an edge for each pair of numbers.
    """
    return build_graph(
        name="g",
        slugs={item: item.name for item in ITEMS},
        edges=[Edge(ITEMS[first], ITEMS[second]) for first, second in pairs],
        constants={},
    )


@given(PAIRS)
def test_every_task_comes_after_its_upstreams_or_the_circle_is_named(pairs):
    """
    Either the order respects every edge, or a real circle is found; never both, never neither.
    """
    edges = [Edge(ITEMS[first], ITEMS[second]) for first, second in pairs]
    circle = find_circle(ITEMS, edges)
    if circle:
        assert circle[0] is circle[-1]
        assert all(Edge(above, below) in edges for above, below in itertools.pairwise(circle))
        with pytest.raises(ValueError, match="Cycle found; flows must be acyclic!"):
            graph_of(pairs)
    else:
        place = {node.task: index for index, node in enumerate(graph_of(pairs).nodes)}
        assert len(place) == len(ITEMS)
        assert all(place[edge.upstream_task] < place[edge.downstream_task] for edge in edges)


@given(PAIRS)
def test_an_order_that_fits_is_kept(pairs):
    """
    Tasks that were added in an order that respects the edges stay in it.
    """
    edges = {item: [] for item in ITEMS}
    for first, second in pairs:
        below, above = ITEMS[max(first, second)], ITEMS[min(first, second)]
        edges[below].append(Edge(above, below))

    assert ordered(ITEMS, edges) == ITEMS


def test_terminal_tasks_are_those_that_nothing_waits_for():
    """
    References default to the terminal tasks.
    """
    graph = graph_of([(0, 1), (1, 2), (0, 3)])

    assert graph.references == graph.terminals == frozenset(ITEMS) - {ITEMS[0], ITEMS[1]}


def test_edges_are_equal_by_all_fields():
    """
    The same ends with another key are another edge.
    """
    a, b = ITEMS[:2]

    assert Edge(a, b, "x") == Edge(a, b, "x")
    assert len({Edge(a, b, "x"), Edge(a, b, "x"), Edge(a, b), Edge(a, b, "x", mapped=True)}) == 3
    assert repr(Edge(a, b, "x")) == "<Edge(key=x, mapped=False, flattened=False): t0 to t1>"


@pytest.mark.parametrize("key", ["a b", "class", "1a", ""])
def test_a_key_must_be_a_name(key):
    """
    Keys are arguments' names, so keywords and other text are refused.
    """
    with pytest.raises(ValueError, match="Key must be a valid identifier"):
        Edge(*ITEMS[:2], key)


def test_an_edge_needs_two_ends():
    """
    A task cannot wait for itself.
    """
    with pytest.raises(ValueError, match="Edges can not connect a task to itself"):
        Edge(ITEMS[0], ITEMS[0])


@pytest.mark.parametrize("again", [copy.deepcopy, lambda flow: cloudpickle.loads(cloudpickle.dumps(flow))])
def test_edges_of_a_copy_are_edges_of_its_own_tasks(again):
    """
    In a deep copy or a pickle of a flow, an edge that is added twice is one edge, as in the flow itself.
    """
    with Flow("f") as flow:
        task(lambda x: x, name="second")(task(lambda: 1, name="first")())

    other = again(flow)
    first, second = other.sorted_tasks()
    other.add_edge(first, second, key="x")

    assert other.edges == {Edge(first, second, "x")}
    assert not other.edges & flow.edges
