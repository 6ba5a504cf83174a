"""Anything may be a constant: sets, tuples with tasks in them, objects that do not compare."""
from prefect import Flow, task


class Odd:
    def __eq__(self, other):
        raise TypeError("never compare me")

    __hash__ = None

    def __repr__(self):
        return "Odd"


@task
def keep(x, y=None, **more):
    return str((type(x).__name__, y, sorted(more)))


with Flow("constants") as flow:
    a = keep(Odd())
    keep({"a": a, "b": [a, 1]}, y=(a, 2), z={3}, w=len)
    keep.map([1, 2], y=[a, a])
