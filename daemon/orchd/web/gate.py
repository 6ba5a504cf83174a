"""
The one gate in front of everything that is served over TCP.

In this order: the ``Host`` is one of ours, whoever asks is known, a change comes from one of our own pages or from a
script, and the answer says to browsers what they may do with it. The Unix socket needs none of it: its file
permissions say who may come.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchd import log
from orchd.errors import StoreError
from orchd.web.doorkeeper import Visitor, is_form_key
from orchd.web.throttle import AtOnce, Throttle

_log = log.get("gate")

#: The only paths that answer to anybody.
OPEN: Final = frozenset({"/health", "/login"})
#: Methods that change nothing.
SAFE: Final = frozenset({"GET", "HEAD"})
#: The changes that are everybody's: it ends the session that asks for it.
ANYBODYS: Final = frozenset({"/logout"})
#: Where the key of a page's forms is: in what its script asks for, and in what it posts without a script.
FORM_KEY_HEADER: Final = "x-orchd-form-key"
FORM_KEY_FIELD: Final = "form_key"
#: Requests of one login at once, its 32 live pages among them: a quarter of all connections (`web/tcp.py`).
MAX_AT_ONCE: Final = 64
#: Most bytes of a form.
MAX_FORM: Final = 256 * 1024
#: Most fields of a form.
MAX_FIELDS: Final = 1000
_NO_KEY: Final = "this change did not come from one of orchd's own pages; load the page again and try once more"
#: Nobody is known then, so it names neither the store nor what ails it.
STORE_AWAY: Final = "logins cannot be looked up, as the run store is away; `orchd status` says why; try again soon"

#: Status -> the word that programs are given for it.
_CODES: Final = {401: "not_logged_in", 429: "too_many", 500: "internal_error", 503: "store_error"}

#: What browsers may do with an answer. Source: the threat table of reliability.md, T10.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

#: Session's cookie and script's token -> who that is.
Known = Callable[[str | None, str | None], Awaitable[Visitor | None]]


class Gate:
    """
    Lets requests through to *app*.

    Args:
        known: tells who holds a cookie or a token.

        hosts: gives what ``Host`` may say, with the port where it is not 80 or 443.

        secure: pages are served over TLS by a proxy in front, so cookies are for TLS only.

        page: makes the answer for somebody whom a browser shows why it was refused: status and sentence.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        known: Known,
        hosts: Callable[[], Collection[str]],
        secure: bool,
        page: Callable[[Request, int, str], Response],
    ) -> None:
        self._app = app
        self._known = known
        self._hosts = hosts
        self._scheme = "https" if secure else "http"
        self._secure = secure
        self._page = page
        self._throttle = Throttle()
        self._busy = AtOnce()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Let one request through, or say why not.
        """
        request = Request(scope)
        try:
            refused, receive = await self._judge(request, receive)
        except StoreError:
            refused = self._say(request, 503, STORE_AWAY)
        except Exception as error:
            # A bug of ours lets nobody in. It is logged whole, and whoever asks is told where to look.
            _log.error("gate_failed", path=scope["path"], exc_info=error)
            refused = self._say(request, 500, f"orchd itself failed ({type(error).__name__}); its log says more")
        await (refused or self._handed_on)(scope, receive, _guarded(send))

    async def _handed_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor: Visitor | None = scope.get("visitor")
        if visitor is None:
            await self._app(scope, receive, send)
            return

        # Not for each peer: behind a proxy all of them look alike.
        if self._busy.of(visitor.login) >= MAX_AT_ONCE:
            message = f"{MAX_AT_ONCE} requests of this login are under way already; wait for one of them"
            await self._say(Request(scope), 429, message)(scope, receive, send)
            return

        self._busy.begin(visitor.login)
        try:
            await self._app(scope, receive, send)
        finally:
            self._busy.end(visitor.login)

    async def _judge(self, request: Request, receive: Receive) -> tuple[Response | None, Receive]:
        """
        Return why the request is refused, if it is, and what gives its body.
        """
        refused = await self._refusal(request)
        if refused is not None or not _is_form(request) or request.scope["path"] in OPEN:
            return refused, receive

        body = await _read(receive)
        return self._form_refusal(request, body), _again(body, receive)

    async def _refusal(self, request: Request) -> Response | None:
        hosts = request.headers.getlist("host")
        path = request.scope["path"]
        # A whole URL in place of the path names a host of its own.
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts() or not path.startswith("/"):
            return self._say(request, 421, "this address is not one of orchd's; open it by the address it listens on")

        if path in OPEN:
            return self._foreign(request, hosts[0]) if request.method not in SAFE else None

        visitor = await self._visitor(request)
        if isinstance(visitor, Response):
            return visitor

        # Names the caller of whatever is done, as the peer does on the Unix socket.
        request.scope["client"] = (visitor.who, 0)
        request.scope["visitor"] = visitor
        request.scope["still_known"] = partial(self._known, *self._held(request))
        if request.method in SAFE:
            return None

        return self._change_refusal(request, visitor, hosts[0])

    async def _visitor(self, request: Request) -> Visitor | Response:
        session, token = self._held(request)
        if token is None and session is None:
            return self._say(request, 401, "you are not logged in; `orchd open` gives a link that logs you in")

        visitor = await self._known(session, token)
        if visitor is not None:
            return visitor

        if self._throttle.is_shut():
            return self._say(request, 429, "too many wrong logins; try again in a second")

        self._throttle.failed()
        return self._say(request, 401, "this login is not known, or over; `orchd open` gives a new one")

    def _held(self, request: Request) -> tuple[str | None, str | None]:
        name = cookie_name(request, secure=self._secure)
        return _cookie(request.headers, name), _bearer(request.headers)

    def _change_refusal(self, request: Request, visitor: Visitor, host: str) -> Response | None:
        if not visitor.may_change and request.scope["path"] not in ANYBODYS:
            return self._say(request, 403, "this login may look at everything and change nothing")
        if (foreign := self._foreign(request, host)) is not None:
            return foreign
        if visitor.form_key is None:
            return None

        if _is_form(request) or is_form_key(request.headers.get(FORM_KEY_HEADER, ""), visitor):
            return None

        return self._say(request, 403, _NO_KEY)

    def _form_refusal(self, request: Request, body: bytes | None) -> Response | None:
        if body is None:
            return self._say(request, 413, f"a form may bring {MAX_FORM} bytes at most")

        try:
            fields = parse_qs(body.decode("latin-1"), max_num_fields=MAX_FIELDS)
        except ValueError:
            return self._say(request, 413, f"a form may bring {MAX_FIELDS} fields at most")

        given = fields.get(FORM_KEY_FIELD, [""])[-1]
        if is_form_key(given, request.scope["visitor"]):
            return None

        return self._say(request, 403, _NO_KEY)

    def _foreign(self, request: Request, host: str) -> Response | None:
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "same-origin")
        is_ours = origin is None or origin.lower() == f"{self._scheme}://{host.lower()}"
        if is_ours and site in ("same-origin", "none"):
            return None

        return self._say(request, 403, "this change comes from another site")

    def _say(self, request: Request, status: int, message: str) -> Response:
        if not _is_api(request):
            return self._page(request, status, message)

        code = _CODES.get(status, "not_allowed")
        return JSONResponse({"error": {"code": code, "message": message, "field": None}}, status_code=status)


def cookie_name(request: Request, *, secure: bool) -> str:
    """
    Return the name of the session's cookie. ``__Host-`` has browsers refuse one that another host or path has set,
    but works over TLS only. Without, the port is part of it: browsers keep one jar for all ports of a host, and two
    daemons of one machine would log each other's people out.
    """
    return "__Host-orchd" if secure else f"orchd-{request.scope['server'][1]}"


def own_hosts(host: str, port: int) -> frozenset[str]:
    """
    Return what ``Host`` may say of a server on *host* (of IPv6 in brackets) and *port*.
    """
    # Browsers leave the port of http out.
    end = "" if port == 80 else f":{port}"
    return frozenset(f"{name}{end}" for name in (host, "localhost", "127.0.0.1", "[::1]"))


def _is_api(request: Request) -> bool:
    return str(request.scope["path"]).startswith(("/api/", "/metrics", "/health"))


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.method not in SAFE and kind == "application/x-www-form-urlencoded"


async def _read(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or len(body) > MAX_FORM:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes | None, receive: Receive) -> Receive:
    """
    Give *body* to whoever reads it once more, and what comes after it from *receive*.
    """
    left = [body]

    async def replayed() -> Message:
        return {"type": "http.request", "body": left.pop() or b"", "more_body": False} if left else await receive()

    return replayed


def _bearer(headers: Mapping[str, str]) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _cookie(headers: Mapping[str, str], name: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None

    return None if found is None else found.value


def _guarded(send: Send) -> Callable[[Message], Awaitable[Any]]:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *((name, value) for name, value in _HEADERS if name not in said)]
        await send(message)

    return guarded
