"""
The ways in over TCP, as the routes need them: the seam between the web room and the daemon's writer.
"""

from concurrent.futures import Future
from typing import Protocol

from orchd.web.doorkeeper import Given, Visitor


class Doors(Protocol):
    """
    Gives out what lets somebody in, and knows it again.
    """

    @property
    def address(self) -> str | None:
        """
        The page's URL, without a slash at its end; None while nothing listens.
        """

    @property
    def trouble(self) -> str | None:
        """
        Why nothing listens, in one sentence; None when it does.
        """

    @property
    def is_secure(self) -> bool:
        """
        True when browsers reach the page over TLS.
        """

    def new_link(self, *, who: str, read_only: bool) -> "Future[Given]":
        """
        Make a link that logs *who* in, once.
        """

    def new_token(self, *, who: str, name: str, read_only: bool) -> "Future[Given]":
        """
        Make a token called *name* for scripts.
        """

    def revoke_token(self, name: str) -> "Future[None]":
        """
        Make the token called *name* good for nothing.
        """

    async def is_link(self, link: str) -> bool:
        """
        Tell whether *link* is the secret of a link that is good now.
        """

    def redeem(self, link: str) -> "Future[Given | None]":
        """
        Give a session for the secret of a link; None when it is not good.
        """

    def log_out(self, session: str) -> "Future[None]":
        """
        Make a session good for nothing.
        """

    async def known(self, session: str | None, token: str | None) -> Visitor | None:
        """
        Tell who holds a session's cookie or a script's token; None when it is good for nothing.
        """
