"""
Errors as the API gives them: one JSON shape, ``{"error": {"code", "message", "field"}}``.
"""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from orchd import log
from orchd.errors import OrchdError
from orchd.web.limits import MAX_BODY

_log = log.get("web")


def _answer(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    # A request may hold half characters, which no answer can.
    text = message.encode("utf-8", "backslashreplace").decode()
    where = None if field is None else field.encode("utf-8", "backslashreplace").decode()
    return JSONResponse({"error": {"code": code, "message": text, "field": where}}, status_code=status)


def _orchd_error(_: Request, error: Exception) -> JSONResponse:
    kind = type(error) if isinstance(error, OrchdError) else OrchdError
    return _answer(kind.http_status, kind.code, str(error))


def _invalid(_: Request, error: Exception) -> JSONResponse:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": str(error)}
    field = ".".join(str(part) for part in first["loc"][1:]) or None
    return _answer(400, "usage_error", f"{field or 'the request'}: {first['msg']}", field)


def _http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return _answer(404, "not_found", "there is no such path; /api/v1/openapi.json lists them all")
    if status == 400:
        return _answer(400, "usage_error", "the body of the request cannot be read as JSON")
    if status == 413:
        return _answer(413, "usage_error", f"the body of the request is over {MAX_BODY} bytes; send less")

    return _answer(status, "http_error", str(error))


def _bug(request: Request, error: Exception) -> JSONResponse:
    # A bug of ours must not end the daemon: it is logged whole, and the caller is told where to look.
    _log.error("request_failed", path=request.url.path, exc_info=error)
    return _answer(500, "internal_error", f"orchd itself failed ({type(error).__name__}); its log says more")


def install(app: FastAPI) -> None:
    """
    Have every error of *app* answered in the one shape.
    """
    app.add_exception_handler(OrchdError, _orchd_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)
