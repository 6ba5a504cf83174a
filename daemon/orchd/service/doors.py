"""
The ways in over TCP: what lets somebody in is written by the writer, and read from the store at each request.
"""

from concurrent.futures import Future
from functools import partial

from starlette.concurrency import run_in_threadpool

from orchd import clock
from orchd.config import DaemonSettings
from orchd.model.instants import to_us
from orchd.scheduler.core import Scheduler
from orchd.store import access
from orchd.store.access import AccessKind
from orchd.store.database import Connection
from orchd.web.doorkeeper import LINK_LIFE, Given, Visitor, new_secret, redeem, visitor_of
from orchd.web.tcp import TcpServer


class Doors:
    """
    Implements ``web.doors.Doors``.
    """

    def __init__(self, scheduler: Scheduler, settings: DaemonSettings) -> None:
        self._scheduler = scheduler
        self._settings = settings
        #: Set once there is one; None while the page is switched off.
        self.server: TcpServer | None = None

    @property
    def address(self) -> str | None:
        """
        The page's URL, without a slash at its end; None while nothing listens.
        """
        server = self.server
        if server is None or server.port is None:
            return None

        if self._settings.hosts:
            return f"{'https' if self.is_secure else 'http'}://{self._settings.hosts[0]}"

        return f"http://{server.host_text}:{server.port}"

    @property
    def trouble(self) -> str | None:
        """
        Why nothing listens, in one sentence; None when it does, or shall not.
        """
        return None if self.server is None else self.server.trouble

    @property
    def is_secure(self) -> bool:
        """
        True when browsers reach the page over TLS.
        """
        return self._settings.behind_proxy

    def new_link(self, *, who: str, read_only: bool) -> "Future[Given]":
        """
        Make a link that logs *who* in, once.
        """
        return self._put(partial(new_secret, AccessKind.LINK, who=who, read_only=read_only, life=LINK_LIFE))

    def new_token(self, *, who: str, name: str, read_only: bool) -> "Future[Given]":
        """
        Make a token called *name* for scripts.
        """
        return self._put(partial(new_secret, AccessKind.TOKEN, who=who, name=name, read_only=read_only))

    def _put(self, make: "partial[Given]") -> "Future[Given]":
        def act(conn: Connection) -> Given:
            now_us = to_us(clock.now())
            access.forget_expired(conn, at_us=now_us)
            given = make(now_us=now_us)
            access.put(conn, given.secret, given.row)
            return given

        return self._scheduler.perform(act)

    def revoke_token(self, name: str) -> "Future[None]":
        """
        Make the token called *name* good for nothing.
        """
        return self._scheduler.perform(lambda conn: access.revoke(conn, name))

    async def is_link(self, link: str) -> bool:
        """
        Tell whether *link* is the secret of a link that is good now.
        """

        def find() -> bool:
            with self._scheduler.database.reading() as conn:
                return access.find(conn, link, AccessKind.LINK, at_us=to_us(clock.now())) is not None

        return await run_in_threadpool(find)

    def redeem(self, link: str) -> "Future[Given | None]":
        """
        Give a session for the secret of a link; None when it is not good.
        """
        return self._scheduler.perform(lambda conn: redeem(conn, link, now_us=to_us(clock.now())))

    def log_out(self, session: str) -> "Future[None]":
        """
        Make a session good for nothing.
        """

        def act(conn: Connection) -> None:
            access.take(conn, session, AccessKind.SESSION, at_us=to_us(clock.now()))

        return self._scheduler.perform(act)

    async def known(self, session: str | None, token: str | None) -> Visitor | None:
        """
        Tell who holds a session's cookie or a script's token; None when it is good for nothing.
        """
        return await run_in_threadpool(self._known, session, token)

    def _known(self, session: str | None, token: str | None) -> Visitor | None:
        with self._scheduler.database.reading() as conn:
            return visitor_of(conn, session=session, token=token, now_us=to_us(clock.now()))
