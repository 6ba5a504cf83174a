"""
Lets flow files that say ``import prefect`` run as they are. Nothing else of orchd knows the old names.
"""

import importlib.util
import logging
import re
import sys
from pathlib import Path
from typing import Final

from orchd.compat.hook import OldNames
from orchd.errors import FlowError

_IMPORT: Final = re.compile(rb"^[ \t]*(?:from[ \t]+|import[ \t]+(?:[\w., \t]*[ \t,])?)prefect\b", re.MULTILINE)
_INSTALLED: Final = "a package named 'prefect' is installed here, so `import prefect` means that one"


def install() -> None:
    """
    Let the old module names stand for ours, from now on in this process; the old settings and the old logger too.

    Raises:
        FlowError: the old package itself is installed.
    """
    if _is_installed():
        return

    if _has_the_package():
        raise FlowError(f"{_INSTALLED}; uninstall it to run old flow files with orchd, or write `import orchd` in them")

    # Old files hang handlers on the logger of the old name; what they then hear is what ours says.
    logging.Logger.manager.loggerDict.setdefault("prefect", logging.getLogger("orchd"))
    finder = OldNames()
    finder.take_settings()
    sys.meta_path.append(finder)


def offer(file: Path) -> str | None:
    """
    Do what :func:`install` does, but leave everything as it is where the old package itself is installed.

    Returns:
        A sentence that says so, if *file* imports it.
    """
    if not _has_the_package():
        install()
        return None

    return f"{_INSTALLED}; uninstall it, or rewrite the file: `orchd check --fix {file}`" if has_old(file) else None


def advice(file: Path) -> str | None:
    """
    Return what to do about the old names in *file*, where they are not offered; None when it has none.
    """
    if not has_old(file):
        return None

    return f"set `prefect_imports = true` under [flows] in the config, or rewrite the file: `orchd check --fix {file}`"


def has_old(file: Path) -> bool:
    """
    True when a line of *file* looks like an import of the old package; False when it cannot be read.
    """
    try:
        return _IMPORT.search(file.read_bytes()) is not None
    except OSError:
        return False


def _is_installed() -> bool:
    return any(isinstance(finder, OldNames) for finder in sys.meta_path)


def _has_the_package() -> bool:
    return not _is_installed() and importlib.util.find_spec("prefect") is not None


__all__ = ["advice", "has_old", "install", "offer"]
