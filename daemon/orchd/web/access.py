"""
Routes that let people and scripts in over TCP. They answer on the Unix socket only: who is in cannot let others in.
"""

from functools import partial
from operator import itemgetter
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from orchd.errors import NotAllowed, StateError
from orchd.model.instants import from_us, iso, iso_us
from orchd.store import queries
from orchd.store.access import AccessRow
from orchd.store.database import Connection
from orchd.web.answers import answer
from orchd.web.asking import caller, outcome, read
from orchd.web.daemon import Daemon
from orchd.web.doorkeeper import login_url
from orchd.web.doors import Doors
from orchd.web.paging import MAX_ROWS, After, Limit, page

_TokenName = Annotated[str, Path(description="what the token is called")]


class LinkBody(BaseModel):
    """
    What a login may do.
    """

    model_config = ConfigDict(extra="forbid")

    read_only: bool = Field(default=False, description="whoever logs in by it may look, and change nothing")


class TokenBody(LinkBody):
    """
    What a token is called, and what it may do.
    """

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="a name to revoke it by"
    )


class AccessRoutes:
    """
    Links and tokens.
    """

    def __init__(self, daemon: Daemon, doors: Doors) -> None:
        self._daemon = daemon
        self._doors = doors

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(prefix="/api/v1", tags=["access"])
        add = routes.add_api_route
        add("/links", self.make_link, methods=["POST"], status_code=201, response_description="`{url, expires_at}`")
        add("/tokens", self.list_tokens, response_description="`{tokens: [{name, who, read_only, created_at}], next}`")
        add("/tokens", self.make_token, methods=["POST"], status_code=201, response_description="`{name, token}`")
        add("/tokens/{name}/revoke", self.revoke_token, methods=["POST"], response_description="`{revoked}`")
        return routes

    async def make_link(self, request: Request, body: LinkBody) -> Response:
        """
        Make a link to the page that logs its first user in.
        """
        _only_on_the_socket(request)
        address = self._doors.address
        if address is None:
            raise StateError(self._doors.trouble or 'the page is switched off: write listen = "127.0.0.1:8420"')

        given = await outcome(self._doors.new_link(who=caller(request), read_only=body.read_only))
        return answer({"url": login_url(address, given), "expires_at": iso_us(given.row.expires_at_us)}, status=201)

    async def list_tokens(self, request: Request, after: After = "", limit: Limit = MAX_ROWS) -> Response:
        """
        List the tokens by name, without what is secret of them; `next` is the `after` of the next page.
        """
        _only_on_the_socket(request)
        found = await read(self._daemon, partial(_tokens, after=after, limit=limit + 1))
        return answer(page("tokens", [_token(row) for row in found], limit=limit, key=itemgetter("name")))

    async def make_token(self, request: Request, body: TokenBody) -> Response:
        """
        Make a token for scripts; it is shown this once.
        """
        _only_on_the_socket(request)
        made = self._doors.new_token(who=caller(request), name=body.name, read_only=body.read_only)
        given = await outcome(made)
        return answer({"name": body.name, "token": given.secret}, status=201)

    async def revoke_token(self, request: Request, name: _TokenName) -> Response:
        """
        Make a token good for nothing.
        """
        _only_on_the_socket(request)
        await outcome(self._doors.revoke_token(name))
        return answer({"revoked": name})


def _tokens(conn: Connection, *, after: str, limit: int) -> list[AccessRow]:
    return queries.tokens(conn, after=after, limit=limit)


def _token(row: AccessRow) -> dict[str, object]:
    return {
        "name": row.name,
        "who": row.who,
        "read_only": row.read_only,
        "created_at": iso(from_us(row.created_at_us)),
    }


def _only_on_the_socket(request: Request) -> None:
    if "visitor" in request.scope:
        raise NotAllowed("logins and tokens are made on the daemon's own machine: `orchd open`, `orchd token create`")
