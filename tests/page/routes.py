"""
Every route that the daemon answers to, from the application itself: none is forgotten by a test that walks them.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, cast

from orchd.web.app import make_app

#: What stands in the place of a name, which may go on over slashes.
PLACE = re.compile(r"\{\w+(:path)?\}")
#: What of it the OpenAPI document does not say: that the name may have slashes.
_KIND = re.compile(r":\w+(?=\})")


@cache
def routes() -> tuple[tuple[str, str], ...]:
    """
    Return method and path of each route, a path once for each of its methods.
    """
    app = make_app(cast(Any, None), cast(Any, None), version="1")
    found = {(method, _KIND.sub("", route.path)) for route in _leaves(app.routes) for method in route.methods}
    documented = {(method.upper(), path) for path, each in app.openapi()["paths"].items() for method in each}
    assert {(method, path.replace(":path}", "}")) for method, path in found} > documented
    return tuple(sorted(found))


def paths() -> list[str]:
    """
    Return each path once, with a word in the place of a name.
    """
    return sorted({PLACE.sub("x", path) for _, path in routes()})


def _leaves(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        inner = getattr(node, "original_router", None)
        yield from [node] if inner is None else _leaves(inner.routes)
