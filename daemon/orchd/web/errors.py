"""
Errors as the API gives them: one JSON shape, ``{"error": {"code", "message", "field"}}``.
"""

from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from orchd import log
from orchd.errors import OrchdError
from orchd.model.names import shown
from orchd.web.gate import OPEN
from orchd.web.limits import MAX_BODY
from orchd.web.pages.entrance import refused
from orchd.web.pages.rendering import page

_log = log.get("web")

#: Paths that programs ask; everybody else is shown a page.
_PROGRAMS: Final = ("/api/", "/health", "/metrics")
#: Status -> what stands above the sentence on a page.
_TITLES: Final = {
    404: "Not found",
    400: "This cannot be meant",
    403: "Not allowed",
    500: "orchd failed",
    503: "Not now",
}

_NO_TIME: Final = "{given} is no time with its zone; write one such as 2026-03-29T02:30:00Z"
#: Kind of a mistake, as pydantic calls it -> what is said after the name of the field.
_SENTENCES: Final = {
    "missing": "is missing",
    "extra_forbidden": "there is no such field; leave it out",
    "enum": "{given} is none of {expected}",
    "int_parsing": "{given} is no whole number",
    "float_parsing": "{given} is no number",
    "string_type": "{given} is no text",
    "dict_type": "{given} is no object of names and values",
    "string_pattern_mismatch": "{given} is not of the form {pattern}",
    "string_too_long": "it is longer than {max_length} characters",
    "greater_than_equal": "{given} is too small; write {ge} or more",
    "less_than_equal": "{given} is too large; write {le} or less",
    "datetime_parsing": _NO_TIME,
    "datetime_from_date_parsing": _NO_TIME,
    "datetime_object_invalid": _NO_TIME,
    "timezone_aware": _NO_TIME,
}


def _answer(request: Request, status: int, code: str, message: str, field: str | None = None) -> Response:
    # A request may hold half characters, which no answer can.
    text = message.encode("utf-8", "backslashreplace").decode()
    if request.url.path in OPEN and not request.url.path.startswith(_PROGRAMS):
        # To somebody who is not in, nothing else answers: no style, and no way of the menu.
        return refused(request, status, text)
    if not request.url.path.startswith(_PROGRAMS):
        return page(request, "message.html", status=status, title=_TITLES.get(status, "This did not work"), text=text)

    where = None if field is None else field.encode("utf-8", "backslashreplace").decode()
    return JSONResponse({"error": {"code": code, "message": text, "field": where}}, status_code=status)


def _forgotten(handler: Callable[[Request, Exception], Response]) -> Callable[[Request, Exception], Response]:
    """
    Let go of the frames of what *handler* has answered: they hold the body of the request, and each other by way of the
    error. Garbage is collected so seldom here that such bodies would fill the memory.
    """

    def handle(request: Request, error: Exception) -> Response:
        answer = handler(request, error)
        held: BaseException | None = error
        while held is not None:
            held.__traceback__ = None
            held = held.__cause__ or held.__context__
        return answer

    return handle


def _orchd_error(request: Request, error: Exception) -> Response:
    kind = type(error) if isinstance(error, OrchdError) else OrchdError
    return _answer(request, kind.http_status, kind.code, str(error))


def _invalid(request: Request, error: Exception) -> Response:
    first: dict[str, Any] = {"loc": (), "type": "", "msg": str(error)}
    if isinstance(error, RequestValidationError):
        first |= error.errors()[0]
    parts = [str(part) for part in first["loc"][1:]]
    # The number of an item says nothing to whoever wrote only one.
    name = ".".join(part for part in parts if not part.isdigit()) or "the request"
    values = {"msg": first["msg"], "given": shown(str(first.get("input", ""))), **first.get("ctx", {})}
    told = _SENTENCES.get(first["type"], "{msg}").format_map(values)
    return _answer(request, 400, "usage_error", f"{name}: {told}", ".".join(parts) or None)


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return _answer(request, 404, "not_found", f"there is no such path; {_where_else(request)}")
    if status == 400:
        return _answer(request, 400, "usage_error", "the body of the request cannot be read as JSON")
    if status == 413:
        return _answer(request, 413, "usage_error", f"the body of the request is over {MAX_BODY} bytes; send less")

    return _answer(request, status, "http_error", str(error))


def _bug(request: Request, error: Exception) -> Response:
    # A bug of ours must not end the daemon: it is logged whole, and the caller is told where to look.
    _log.error("request_failed", path=request.url.path, exc_info=error)
    return _answer(request, 500, "internal_error", f"orchd itself failed ({type(error).__name__}); its log says more")


def _where_else(request: Request) -> str:
    is_program = request.url.path.startswith(_PROGRAMS)
    return "/api/v1/openapi.json lists them all" if is_program else "the menu above leads to all that there is"


def unusable(request: Request, why: str) -> Response:
    """
    Answer a request that cannot be meant, and that no route has seen.
    """
    return _answer(request, 400, "usage_error", why)


def install(app: FastAPI) -> None:
    """
    Have every error of *app* answered in the one shape.
    """
    app.add_exception_handler(OrchdError, _forgotten(_orchd_error))
    app.add_exception_handler(RequestValidationError, _forgotten(_invalid))
    app.add_exception_handler(HTTPException, _forgotten(_http))
    app.add_exception_handler(Exception, _bug)
