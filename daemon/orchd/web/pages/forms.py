"""
What a form of our own pages sent. That it is one of ours is the gate's business.
"""

from urllib.parse import parse_qsl

from fastapi import Request

from orchd.errors import UsageError
from orchd.web.gate import MAX_FIELDS


async def form_of(request: Request) -> dict[str, str]:
    """
    Return the fields of the form that *request* sent; of two of one name the last counts.

    Raises:
        UsageError: there are too many, or one holds NUL.
    """
    body = (await request.body()).decode("ascii", "replace")
    if "%00" in body or "\0" in body:
        raise UsageError("the form holds the character NUL; leave it out")

    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise UsageError(f"a form may bring {MAX_FIELDS} fields at most") from None
