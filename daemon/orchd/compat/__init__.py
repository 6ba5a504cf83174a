"""
Lets flow files that say ``import prefect`` run as they are. Nothing else of orchd knows the old names.
"""

import contextlib
import importlib.util
import logging
import os
import sys

from orchd.compat.hook import OldNames
from orchd.engine.settings import setting
from orchd.errors import FlowError


def install() -> None:
    """
    Let the old module names stand for ours, from now on in this process; the old settings and the old logger too.

    Raises:
        FlowError: the old package itself is installed.
    """
    if any(isinstance(finder, OldNames) for finder in sys.meta_path):
        return

    if importlib.util.find_spec("prefect") is not None:
        raise FlowError(
            "a package named 'prefect' is installed here, so `import prefect` means that one; uninstall it to run old "
            "flow files with orchd, or write `import orchd` in them"
        )

    for name, value in list(os.environ.items()):
        if name.startswith("PREFECT__"):
            os.environ.setdefault(f"ORCHD__{name.removeprefix('PREFECT__')}", value)

    # Old files hang handlers on the logger of the old name; what they then hear is what ours says.
    logging.Logger.manager.loggerDict.setdefault("prefect", logging.getLogger("orchd"))
    sys.meta_path.append(OldNames())


def offer() -> None:
    """
    Do what :func:`install` does, but leave everything as it is where the old package itself is installed.
    """
    with contextlib.suppress(FlowError):
        install()


def offer_if_wanted() -> None:
    """
    Do what :func:`offer` does, if the setting ``flows.prefect_imports`` asks for it.
    """
    if setting("flows.prefect_imports"):
        offer()


__all__ = ["install", "offer", "offer_if_wanted"]
