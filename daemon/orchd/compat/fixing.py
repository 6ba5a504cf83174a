"""
Rewrites the old names of a flow file to orchd's, and leaves every other character as it is.
"""

import ast
import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import orchd
from orchd.compat.names import MODULES
from orchd.compat.reading import Absence, Binding, Meaning, Use, absences, imported, is_old, read
from orchd.compat.statements import Imported, Places, from_text, module_span, plain_text

_OURS: Final = "orchd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One place that was rewritten.
    """

    line: int
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """
    A flow file with our names.
    """

    source: bytes
    changes: tuple[Change, ...]
    #: What means nothing here, and so stays.
    left: tuple[Absence, ...]
    #: Lines and texts that look like old names, and stay.
    texts: tuple[tuple[int, str], ...]


def fix(source: bytes) -> Fixed:
    """
    Rewrite the old names in *source*, which is UTF-8.

    Raises:
        SyntaxError: it is no Python.
    """
    editor = _Editor(source)
    return Fixed(
        source=editor.result(),
        changes=tuple(editor.changes()),
        left=tuple(absences(source)),
        texts=tuple((text.lineno, str(text.value)) for text in editor.texts),
    )


@dataclass(slots=True, kw_only=True, eq=False)
class _Plan:
    """
    What becomes of a binding.
    """

    #: Our module, where the import can simply name that one.
    module: str | None
    #: Some of its uses mean nothing here, so the old import stays too.
    is_kept: bool = False
    #: Our modules that must be imported beside it.
    extra: dict[str, None] = field(default_factory=dict)


class _Editor:
    def __init__(self, source: bytes) -> None:
        self._places = Places(source)
        self._edits: dict[tuple[int, int], str] = {}
        reading = read(source)
        self.texts = reading.texts
        self._plans = {binding: self._plan(binding) for binding in reading.bindings}
        for binding, plan in self._plans.items():
            for use in binding.uses:
                self._use(use, binding, plan)

        for statement in reading.imports:
            if isinstance(statement, ast.Import):
                self._import(statement)
            else:
                self._import_from(statement)

    def result(self) -> bytes:
        """
        Return the source with all edits.
        """
        return self._places.edited(self._edits)

    def changes(self) -> Iterable[Change]:
        """
        Give the edits in the order of the file.
        """
        for (start, end), new in sorted(self._edits.items()):
            old = self._places.text(start, end)
            yield Change(line=self._places.line(start), old=_on_one_line(old), new=_on_one_line(new))

    def _plan(self, binding: Binding) -> _Plan:
        home = module_home(binding.module)
        homes = {use.meaning.home[0] if use.meaning.home else None for use in binding.uses}
        if home is not None and binding.module != "prefect" and homes <= {home}:
            return _Plan(module=home)

        plan = _Plan(module=None, is_kept=any(our_path(use) is None for use in binding.uses))
        if not binding.uses:
            # A statement must not become empty.
            plan.extra[_OURS] = None

        return plan

    def _use(self, use: Use, binding: Binding, plan: _Plan) -> None:
        if plan.module is not None and use.meaning.home is not None:
            new = f"{binding.name}.{use.meaning.home[1]}"
        elif (path := our_path(use)) is not None:
            root = self._root(binding, plan, path[0])
            new = f"{root}.{path[1]}" if path[1] else root
        else:
            return

        self._edit(use.nodes[0], use.nodes[use.meaning.depth], new)

    def _root(self, binding: Binding, plan: _Plan, module: str) -> str:
        """
        Return what our *module* is called where *binding* is used, and have it imported there.
        """
        is_alias = binding.module == "prefect" and binding.name != "prefect" and not plan.is_kept
        if module == _OURS and is_alias:
            return binding.name

        if module != _OURS or binding.module != "prefect" or plan.is_kept:
            plan.extra[module] = None

        return module

    def _import(self, statement: ast.Import) -> None:
        names: dict[str, None] = {}
        for alias in statement.names:
            local = f" as {alias.asname}" if alias.asname else ""
            plan = self._plan_of(statement, alias.asname or "prefect") if is_old(alias.name) else None
            if plan is None:
                names[f"{alias.name}{local}"] = None
                continue

            if plan.is_kept:
                names[f"{alias.name}{local}"] = None
            elif alias.name == "prefect" or not alias.asname:
                names[f"{_OURS}{local}"] = None
            elif plan.module is not None:
                names[f"{plan.module}{local}"] = None

            names.update(plan.extra)

        self._replace_statement(statement, [plain_text(names)], first=statement.names[0])

    def _import_from(self, statement: ast.ImportFrom) -> None:
        groups: dict[str, list[Imported]] = {}
        extra: dict[str, None] = {}
        for index, (alias, meaning) in enumerate(imported(statement)):
            local = alias.asname or alias.name
            plan = self._plan_of(statement, local)
            extra.update(plan.extra if plan else {})
            for module, name in _from_where(str(statement.module), alias.name, meaning, plan):
                groups.setdefault(module, []).append(Imported(index=index, name=name, local=local))

        if list(groups) == [statement.module] and not extra:
            return

        if len(groups) == 1 and not extra and (span := module_span(self._places, statement)) is not None:
            [(module, names)] = groups.items()
            self._edits[span] = module
            for each in names:
                alias = statement.names[each.index]
                if each.name != alias.name:
                    self._edit(alias, alias, each.text())

            return

        texts = [from_text(self._places, statement, module, names) for module, names in groups.items()]
        self._replace_statement(statement, [*texts, *([plain_text(extra)] if extra else [])], first=None)

    def _plan_of(self, statement: ast.Import | ast.ImportFrom, name: str) -> _Plan | None:
        for binding, plan in self._plans.items():
            if binding.statement is statement and binding.name == name:
                return plan

        return None

    def _replace_statement(self, statement: ast.stmt, texts: list[str], *, first: ast.alias | None) -> None:
        start, end = self._places.span(statement)
        if first is not None and len(texts) == 1:
            start, end = self._places.span(first)[0], self._places.span(statement)[1]
            texts = [texts[0].removeprefix("import ")]

        before = self._places.before(start)
        joint = "; " if before.strip() else f"{self._places.newline}{before}"
        new = joint.join(texts)
        if new != self._places.text(start, end):
            self._edits[start, end] = new

    def _edit(self, first: ast.expr | ast.alias, last: ast.expr | ast.alias, new: str) -> None:
        start, end = self._places.span(first)[0], self._places.span(last)[1]
        if new != self._places.text(start, end):
            self._edits[start, end] = new


def _from_where(old: str, name: str, meaning: Meaning, plan: _Plan | None) -> list[tuple[str, str]]:
    """
    Return the modules from which a name of a ``from`` statement comes now, and its name there.
    """
    if name == "*":
        return [(home, name) for home in MODULES.get(old, ()) or (old,)]

    if meaning.home is not None:
        return [public(*meaning.home)]

    if plan is None or plan.is_kept:
        return [(old, name)]

    return [] if plan.module is None else [public_module(plan.module)]


def our_path(use: Use) -> tuple[str, str] | None:
    """
    Return our module and the name in it (empty for the module itself) that *use* means; None when there is none.
    """
    if use.meaning.home is not None:
        return public(*use.meaning.home)

    if use.meaning.name == "prefect":
        return _OURS, ""

    home = module_home(use.meaning.name)
    return None if home is None else (home, "")


def module_home(old: str) -> str | None:
    """
    Return the one module of ours that the old module *old* means; None for none and for several.
    """
    homes = MODULES.get(old, ())
    return homes[0] if len(homes) == 1 else None


def public(module: str, name: str) -> tuple[str, str]:
    """
    Return where *name* of our *module* is best imported from: from ``orchd`` itself, if it is there.
    """
    value = getattr(importlib.import_module(module), name)
    return (_OURS if name in orchd.__all__ and getattr(orchd, name) is value else module), name


def public_module(module: str) -> tuple[str, str]:
    """
    Return from where our *module* is imported as a name: ``from orchd import signals``.
    """
    value = importlib.import_module(module)
    package, _, name = module.rpartition(".")
    return (_OURS, name) if name in orchd.__all__ and getattr(orchd, name) is value else (package, name)


def _on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
