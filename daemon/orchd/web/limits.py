"""
How much a request may bring.
"""

from collections.abc import MutableMapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

#: Largest body of a request. Source: the threat table of reliability.md, T14, asks for a bound.
MAX_BODY: Final = 1024 * 1024


class BodyLimit:
    """
    Refuses a body over :data:`MAX_BODY` when a route asks for it. It is read to its end, so that whoever sends it
    hears why, but not kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Hand the request on, with its body counted.
        """
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
