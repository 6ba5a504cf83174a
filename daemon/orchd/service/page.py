"""
Wiring of the page: the application behind its gate, on the address of the config; and who is told where it is.
"""

import getpass
import sys
from concurrent.futures import Future
from typing import Final, TextIO

from starlette.types import ASGIApp

from orchd import log
from orchd.config import DaemonSettings
from orchd.service.doors import Doors
from orchd.web.doorkeeper import Given, login_url
from orchd.web.gate import Gate, own_hosts
from orchd.web.pages.entrance import refused
from orchd.web.tcp import TcpServer

_log = log.get("page")

_GREETING: Final = """
The page is at {address}
This link logs one browser in, once, within ten minutes (`orchd open` gives another):
{link}

"""


def serve_page(app: ASGIApp, doors: Doors, settings: DaemonSettings) -> TcpServer | None:
    """
    Make the server of the page and tell *doors* of it; None when the config wants none.
    """
    if settings.listen is None:
        return None

    def hosts() -> frozenset[str]:
        own = frozenset() if server.port is None else own_hosts(server.host_text, server.port)
        return own | frozenset(settings.hosts)

    gate = Gate(app, known=doors.known, hosts=hosts, secure=settings.behind_proxy, page=refused)
    listen = settings.listen
    server = TcpServer(gate, listen.host, listen.port, ready=lambda: greet(doors, sys.stderr))
    doors.server = server
    return server


def greet(doors: Doors, stream: TextIO) -> None:
    """
    Say where the page is. Only a terminal is given a link: *stream* may be a journal, which keeps what it is told.
    """
    address = doors.address or ""
    if not stream.isatty():
        _log.info("page_ready", url=address, log_in="`orchd open` gives a link")
        return

    def given(made: "Future[Given]") -> None:
        if (error := made.exception()) is not None:
            _log.warning("no_link", why=str(error))
            return
        stream.write(_GREETING.format(address=address, link=login_url(address, made.result())))
        stream.flush()

    doors.new_link(who=getpass.getuser(), read_only=False).add_done_callback(given)
