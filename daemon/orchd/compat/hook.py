"""
The import hook: makes modules of the old names, whose contents are ours.
"""

import importlib
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from orchd.compat.names import MODULES, RENAMED


class OldModule(ModuleType):
    """
    A module of an old name. What it has is looked up in ours when it is first asked for.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")

        full = f"{self.__name__}.{name}"
        if (renamed := RENAMED.get(full)) is not None:
            value = getattr(importlib.import_module(renamed[0]), renamed[1])
        elif full in MODULES:
            return importlib.import_module(full)
        else:
            value = self._found(name)

        setattr(self, name, value)
        return value

    def _found(self, name: str) -> Any:
        for home in MODULES[self.__name__]:
            module = importlib.import_module(home)
            if hasattr(module, name):
                return getattr(module, name)

        raise AttributeError(
            f"module '{self.__name__}' has no attribute '{name}' that orchd knows; see docs/differences.md"
        )

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


class OldNames(MetaPathFinder, Loader):
    """
    Finds and loads modules of the old names.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """
        Return how to load *fullname*, if it is an old name.
        """
        if fullname not in MODULES:
            return None

        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """
        Return the module, still empty.
        """
        return OldModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """
        Let ``from ... import *`` find the names of all but the topmost module, which would load everything.
        """
        if isinstance(module, OldModule) and "." in module.__name__:
            vars(module)["__all__"] = module.public_names()
