"""
What a test needs of its machine: a visible skip where that is missing, a failure where nothing may be skipped.
"""

import os
from collections.abc import Mapping
from typing import NoReturn

import pytest


def nothing_may_be_skipped(env: Mapping[str, str] = os.environ) -> bool:
    """
    Tell whether a missing tool is a failure: in CI, and wherever ``ORCHD_NOTHING_SKIPPED`` is set.
    """
    return bool(env.get("CI") or env.get("ORCHD_NOTHING_SKIPPED"))


def cannot_run(reason: str) -> NoReturn:
    """
    Skip the test that asks, saying *reason*; or fail it, where nothing may be skipped.
    """
    if nothing_may_be_skipped():
        pytest.fail(f"{reason}, and nothing may be skipped here", pytrace=False)

    pytest.skip(reason)
