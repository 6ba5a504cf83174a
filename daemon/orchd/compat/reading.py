"""
Finds where a flow file uses old names, by its text alone: nothing of it is executed.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from orchd.compat.absent import why_absent
from orchd.compat.hook import home_of
from orchd.compat.names import MODULES

_TOP: Final = "prefect"
_OLD_TEXT: Final = re.compile(r"prefect(\.\w+)*|PREFECT__\w+")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES: Final = (*_FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """
    What an old name means, and how many of its parts say so; the rest are attributes of ours.
    """

    #: The old name, as far as it was looked at.
    name: str
    #: How many names follow the first one in it.
    depth: int
    #: Our module and the name there; None for a module, and for what is not here.
    home: tuple[str, str] | None = None
    #: Why it is not here.
    why: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Binding:
    """
    A name of the file that stands for an old module, from where it is imported.
    """

    name: str
    module: str
    statement: ast.Import | ast.ImportFrom
    uses: "list[Use]" = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """
    A place where a binding is used: ``prefect.context.get`` is the binding ``prefect`` and two names.
    """

    #: The first name, and the node of it with each name that follows, from left to right.
    nodes: tuple[ast.expr, ...]
    names: tuple[str, ...]
    meaning: Meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    Every import of old names in a file, and every use of the modules among them.
    """

    imports: tuple[ast.Import | ast.ImportFrom, ...]
    bindings: tuple[Binding, ...]
    #: Text that mentions old names, which nobody can rewrite safely.
    texts: tuple[ast.Constant, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Absence:
    """
    An old name that a file uses and that means nothing here.
    """

    line: int
    name: str
    why: str


@dataclass(slots=True, kw_only=True)
class _Scope:
    parent: "_Scope | None"
    is_class: bool
    names: dict[str, Binding | None]

    def find(self, name: str) -> Binding | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.is_class):
                return scope.names[name]

            scope = scope.parent

        return None


def is_old(module: str | None) -> bool:
    """
    True when *module* is the old package or below it.
    """
    return module is not None and (module == _TOP or module.startswith(f"{_TOP}."))


def meaning_of(module: str, names: tuple[str, ...]) -> Meaning:
    """
    Say what *names*, one after the other from the old *module* on, mean.
    """
    full = module
    for depth, name in enumerate(names, start=1):
        full = f"{full}.{name}"
        if (home := home_of(full)) is not None:
            return Meaning(name=full, depth=depth, home=home)

        if full not in MODULES:
            return Meaning(name=full, depth=depth, why=_why(full))

    return Meaning(name=full, depth=len(names), why=None if full in MODULES else _why(full))


def read(source: bytes) -> Reading:
    """
    Find the old names in *source*, which is UTF-8 whatever it says itself.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(source.decode())
    found = _Finder()
    found.enter(tree, parent=None, is_class=False)
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and _is_old_text(node.value))
    return Reading(imports=tuple(found.imports), bindings=tuple(found.bindings), texts=tuple(texts))


def absences(source: bytes) -> list[Absence]:
    """
    List what *source* uses that means nothing here, by line; nothing for what is no Python.
    """
    try:
        reading = read(source)
    except (SyntaxError, ValueError):
        return []

    found = {
        Absence(line=use.nodes[0].lineno, name=use.meaning.name, why=use.meaning.why)
        for binding in reading.bindings
        for use in binding.uses
        if use.meaning.why is not None
    }
    for statement in reading.imports:
        for alias, meaning in imported(statement):
            if meaning.why is not None:
                found.add(Absence(line=alias.lineno, name=meaning.name, why=meaning.why))

    return sorted(found)


def imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[ast.alias, Meaning]]:
    """
    Give each old name that *statement* imports, and what it means.
    """
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            if is_old(alias.name):
                yield alias, meaning_of(alias.name, ())
        elif alias.name == "*":
            yield alias, meaning_of(statement.module or "", ())
        else:
            yield alias, meaning_of(statement.module or "", (alias.name,))


def _why(name: str) -> str:
    return why_absent(name) or f"{name} is not in orchd, which does not know that name"


def _is_old_text(value: object) -> bool:
    return isinstance(value, str) and _OLD_TEXT.fullmatch(value) is not None


class _Finder:
    def __init__(self) -> None:
        self.imports: list[ast.Import | ast.ImportFrom] = []
        self.bindings: list[Binding] = []

    def enter(self, node: ast.AST, *, parent: _Scope | None, is_class: bool) -> None:
        scope = _Scope(parent=parent, is_class=is_class, names={})
        inner = list(_inside(node))
        for each in inner:
            self._bind(each, scope)

        for each in inner:
            self._use(each, scope)

        # Names of a function are looked up when it is called, so all of the scope around it is known first.
        for each in inner:
            if isinstance(each, _SCOPES):
                self.enter(each, parent=scope, is_class=isinstance(each, ast.ClassDef))

    def _bind(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                scope.names.setdefault(name, None)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                scope.names.setdefault(name, None)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
        if isinstance(node, ast.ImportFrom) and not (node.level == 0 and is_old(node.module)):
            return

        pairs = list(imported(node))
        if pairs:
            self.imports.append(node)

        for alias, meaning in pairs:
            if alias.name == "*" or meaning.home is not None or meaning.why is not None:
                continue

            is_top = isinstance(node, ast.Import) and alias.asname is None
            name = _TOP if is_top else alias.asname or alias.name
            binding = Binding(name=name, module=_TOP if is_top else meaning.name, statement=node)
            self.bindings.append(binding)
            if scope.names.get(name) is None or not is_top:
                scope.names[name] = binding

    def _use(self, node: ast.AST, scope: _Scope) -> None:
        if not isinstance(node, ast.Name | ast.Attribute):
            return

        nodes: list[ast.expr] = [node]
        names: list[str] = []
        while isinstance(nodes[-1], ast.Attribute):
            names.append(nodes[-1].attr)
            nodes.append(nodes[-1].value)

        first = nodes[-1]
        if isinstance(first, ast.Name) and (binding := scope.find(first.id)) is not None:
            path = tuple(reversed(names))
            use = Use(nodes=tuple(reversed(nodes)), names=path, meaning=meaning_of(binding.module, path))
            binding.uses.append(use)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """
    Give what is in the scope that *node* makes: of functions and classes in it only themselves and their heads, and of
    a chain of attributes only the whole.
    """
    todo = _body(node)
    while todo:
        each = todo.pop(0)
        yield each
        if isinstance(each, _SCOPES):
            todo += _head(each)
        elif isinstance(each, ast.Attribute):
            below: ast.expr = each
            while isinstance(below, ast.Attribute):
                below = below.value

            todo += [] if isinstance(below, ast.Name) else [below]
        else:
            todo += ast.iter_child_nodes(each)


def _body(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, _FUNCTIONS):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
        names: list[ast.AST] = [ast.arg(arg=each.arg) for each in every]
        return names + ([node.body] if isinstance(node, ast.Lambda) else list(node.body))

    return list(node.body) if isinstance(node, ast.ClassDef) else list(ast.iter_child_nodes(node))


def _head(node: ast.AST) -> list[ast.AST]:
    """
    Return what of a function or class is looked up in the scope around it: decorators, defaults, annotations, bases.
    """
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]

    if isinstance(node, ast.Lambda):
        return [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]

    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    notes = [each.annotation for each in every if each is not None and each.annotation is not None]
    defaults = [*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)]
    return [*node.decorator_list, *notes, *defaults, *([node.returns] if node.returns else [])]
