"""
Secrets: values that are never stored.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from orchd.engine.context import context
from orchd.flow.task import Task
from orchd.results.inline import SecretResult


class Secret:
    """
    A secret by its name: of ``orchd.context.secrets``, or the variable ``ORCHD__CONTEXT__SECRETS__NAME``.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self) -> Any:
        """
        Return the value; JSON text as what it says.

        Raises:
            ValueError: there is none, or a flow is being built, into which it would be written.
        """
        if "flow" in context:
            raise ValueError(
                "Secrets should only be retrieved during a flow run, not while building a flow; use a secret task"
            )

        if not self.exists():
            raise ValueError(f'Local Secret "{self.name}" was not found.')

        held = self._held()
        value = held[self.name] if self.name in held else os.environ[self._variable()]
        try:
            return json.loads(value)
        except (TypeError, ValueError):
            return value

    def exists(self) -> bool:
        """
        True when there is such a secret.
        """
        return self.name in self._held() or self._variable() in os.environ

    def _held(self) -> Mapping[str, Any]:
        return context.get("secrets") or {}

    def _variable(self) -> str:
        return f"ORCHD__CONTEXT__SECRETS__{self.name.upper()}"


class SecretTask(Task):
    """
    Gives the secret *name*; its result is never stored.
    """

    def __init__(self, name: str, **task_args: Any) -> None:
        """
        Raises:
            ValueError: a result is given.
        """
        if "result" in task_args:
            raise ValueError("Result types for Secrets are not configurable.")

        super().__init__(**{"name": name, "checkpoint": False, **task_args})
        self.result = SecretResult()

    def run(self) -> Any:
        """
        Return the secret.
        """
        return Secret(self.name).get()


class EnvVarSecret(SecretTask):
    """
    Gives the environment variable *name*, turned by *cast* into what is needed.
    """

    def __init__(
        self, name: str, raise_if_missing: bool = False, cast: Callable[[str], Any] | None = None, **task_args: Any
    ) -> None:
        self.raise_if_missing = raise_if_missing
        self.cast = cast
        super().__init__(name, **task_args)

    def run(self) -> Any:
        """
        Return the variable; None when it is not set and need not be.

        Raises:
            ValueError: it is not set.
        """
        if (value := os.environ.get(self.name)) is None:
            if self.raise_if_missing:
                raise ValueError(f"Environment variable not set: {self.name}")

            return None

        return value if self.cast is None else self.cast(value)
