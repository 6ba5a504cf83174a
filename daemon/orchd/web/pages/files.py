"""
Style and script of the pages, by a name that changes with them, so that a browser asks once.
"""

from typing import Final

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from orchd.web.pages.rendering import asset, asset_version

#: Name of a file -> its type: the only ones that are given.
_FILES: Final = {
    "orchd.css": "text/css; charset=utf-8",
    "orchd.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def file_router() -> APIRouter:
    """
    Make the route.
    """
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/static/{version}/{name}", _file)
    return routes


def _file(version: str, name: str) -> Response:
    if name not in _FILES or version != asset_version():
        raise HTTPException(404)

    headers = {"cache-control": "private, max-age=31536000, immutable"}
    return Response(asset(name), media_type=_FILES[name], headers=headers)
