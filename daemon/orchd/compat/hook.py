"""
The import hook: makes modules of the old names, whose contents are ours.
"""

import importlib
import os
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from orchd.compat.absent import why_absent
from orchd.compat.names import CLASSIC_VERSION, MODULES, RENAMED

#: What ``from prefect import *`` takes.
_FACE: Final = (
    "Flow Parameter Task apply_map case config context flatten mapped resource_manager tags task unmapped".split()
)


class OldModule(ModuleType):
    """
    A module of an old name. What it has is looked up in ours when it is first asked for.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")

        full = f"{self.__name__}.{name}"
        if (home := home_of(full)) is not None:
            value = getattr(importlib.import_module(home[0]), home[1])
        elif full in MODULES:
            return importlib.import_module(full)
        elif (why := why_absent(full)) is not None:
            # An AttributeError would lose the sentence in `from prefect import ...`.
            raise ImportError(why, name=full)
        else:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}' that orchd knows")

        setattr(self, name, value)
        return value

    def public_names(self) -> list[str]:
        """
        Return what ``from ... import *`` takes.
        """
        names = [full.rpartition(".")[2] for full in (*RENAMED, *MODULES) if full.rpartition(".")[0] == self.__name__]
        for home in MODULES[self.__name__]:
            module = importlib.import_module(home)
            own = [name for name, value in vars(module).items() if getattr(value, "__module__", "").startswith("orchd")]
            names += getattr(module, "__all__", own)

        return sorted({name for name in names if not name.startswith("_")})


def home_of(full: str) -> tuple[str, str] | None:
    """
    Return our module, and the name there, that the old name *full* means; None when it is a module, or not here.
    """
    if (renamed := RENAMED.get(full)) is not None:
        return renamed

    module, _, name = full.rpartition(".")
    if full in MODULES or name.startswith("_"):
        return None

    for home in MODULES.get(module, ()):
        if hasattr(importlib.import_module(home), name):
            return home, name

    return None


class OldNames(MetaPathFinder, Loader):
    """
    Finds and loads modules of the old names.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """
        Return how to load *fullname*, if it is an old name.

        Raises:
            ImportError: it is an old name that means nothing here.
        """
        if fullname in MODULES:
            return ModuleSpec(fullname, self, is_package=True)

        if fullname.startswith("prefect.") and (why := why_absent(fullname)) is not None:
            raise ImportError(why, name=fullname)

        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """
        Return the module, still empty.
        """
        return OldModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """
        Let ``from ... import *`` find its names, without loading them all for the topmost module.
        """
        if not isinstance(module, OldModule):
            return

        if "." in module.__name__:
            vars(module)["__all__"] = module.public_names()
            return

        # Old files set variables just before this import, as the classic tool read them in it.
        self.take_settings()
        vars(module).update(__version__=CLASSIC_VERSION, __all__=_FACE)

    def take_settings(self) -> None:
        """
        Let settings of the old name stand for ours, where ours are not set.
        """
        for name, value in list(os.environ.items()):
            if name.startswith("PREFECT__"):
                os.environ.setdefault(f"ORCHD__{name.removeprefix('PREFECT__')}", value)
