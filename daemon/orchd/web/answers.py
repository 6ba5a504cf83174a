"""
Read models as responses.
"""

from collections.abc import Mapping

import msgspec
from fastapi import Response

from orchd.store.queries import RunView


def answer(body: Mapping[str, object]) -> Response:
    """
    Give *body*, which may hold read models, as a JSON response.
    """
    return Response(msgspec.json.encode(body), media_type="application/json")


def with_hold(run: RunView, holds: Mapping[str, str]) -> RunView:
    """
    Fill in why *run* is held, if it is.
    """
    held = holds.get(run.id)
    return run if held is None else msgspec.structs.replace(run, held=held)
