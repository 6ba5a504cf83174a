"""
The pages that let somebody in, and out.
"""

from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from orchd.errors import StoreError
from orchd.web.asking import outcome
from orchd.web.doorkeeper import SESSION_LIFE
from orchd.web.doors import Doors
from orchd.web.gate import STORE_AWAY, cookie_name
from orchd.web.pages.rendering import door
from orchd.web.throttle import Throttle

_OVER: Final = "This link is used, over or wrong. Ask for a new one with: orchd open"
#: Bytes of a login form: one key.
_MAX_FORM: Final = 1000


class Entrance:
    """
    ``/login`` and ``/logout``.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._throttle = Throttle()

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/login", self.show)
        routes.add_api_route("/login", self.log_in, methods=["POST"])
        routes.add_api_route("/logout", self.log_out, methods=["POST"])
        return routes

    def show(self, key: str = "") -> Response:
        """
        Ask for a click: a browser or a chat that merely looks at the link must not use it up.
        """
        return door("login.html", status=200, key=key, trouble=None)

    async def log_in(self, request: Request) -> Response:
        """
        Take the link's key, and give the browser its cookie.
        """
        body = await request.body()
        key = parse_qs(body[:_MAX_FORM].decode("latin-1")).get("key", [""])[0]
        try:
            # Looked up first: wrong ones cost the writer nothing, and shut nobody out who has a good one.
            given = await outcome(self._doors.redeem(key)) if await self._doors.is_link(key) else None
        except StoreError:
            # The link is still good: the button stays.
            return door("login.html", status=503, key=key, trouble=_sentence(STORE_AWAY))
        if given is None and self._throttle.is_shut():
            return door("login.html", status=429, key="", trouble="Too many wrong logins. Try again in a second.")
        if given is None:
            self._throttle.failed()
            return door("login.html", status=403, key="", trouble=_OVER)

        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            cookie_name(request, secure=self._doors.is_secure),
            given.secret,
            max_age=round(SESSION_LIFE.total_seconds()),
            secure=self._doors.is_secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def log_out(self, request: Request) -> Response:
        """
        Make the browser's session good for nothing.
        """
        name = cookie_name(request, secure=self._doors.is_secure)
        session = request.cookies.get(name)
        if session is not None:
            await outcome(self._doors.log_out(session))
        answer = door("login.html", status=200, key="", trouble="You are logged out.")
        answer.delete_cookie(name, secure=self._doors.is_secure, httponly=True, samesite="strict")
        return answer


def refused(request: Request, status: int, message: str) -> Response:
    """
    Show somebody whom the gate did not let through why.
    """
    return door("login.html", status=status, key="", trouble=_sentence(message))


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."
