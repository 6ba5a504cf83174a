"""
How much a request may bring.
"""

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

#: Largest body of a request. Source: the threat table of reliability.md, T14, asks for a bound.
MAX_BODY: Final = 1024 * 1024
#: Texts that go into the store as they are: Postgres holds no NUL.
NO_NUL: Final = r"^[^\x00]*$"
#: Objects and lists within each other. Same source.
MAX_DEPTH: Final = 32


class BodyLimit:
    """
    Refuses a body over :data:`MAX_BODY` when a route asks for it. It is read to its end, so that whoever sends it
    hears why, but not kept.

    Args:
        refusal: makes the answer to a request that cannot be meant, from why that is.
    """

    def __init__(self, app: ASGIApp, *, refusal: Callable[[Request, str], Response]) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Hand the request on, with its body counted; but none whose address holds what no store can be asked for.
        """
        if "\0" in scope.get("path", "") or b"%00" in scope.get("query_string", b""):
            refused = self._refusal(Request(scope), "the address holds the character NUL; leave it out")
            await refused(scope, receive, send)
            return

        size = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size <= MAX_BODY:
                return message
            while message.get("more_body", False):
                message = await receive()
            raise HTTPException(413)

        await self._app(scope, counted, send)


def is_deeper(value: object, levels: int) -> bool:
    """
    Tell whether objects and lists stand in each other more than *levels* deep in *value*, read from JSON.
    """
    level: list[object] = [value]
    for _ in range(levels + 1):
        level = [part for each in level for part in _parts(each)]
        if not level:
            return False

    return True


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()

    return value if isinstance(value, list) else ()
