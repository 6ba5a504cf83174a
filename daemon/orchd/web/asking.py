"""
Waiting for what the writer was asked to do.
"""

import asyncio
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def outcome(future: "Future[T]") -> T:
    """
    Wait for *future* in the loop, and return its result or raise its error.
    """
    return await asyncio.wrap_future(future)
