"""
What pydantic found wrong, in the words of a person: which key, which value, what to write instead.
"""

from collections.abc import Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from orchd.config.files import KeyPath, Merged
from orchd.config.problems import did_you_mean, toml_value
from orchd.config.tables import NAMED, TABLES, Document, Table, WaitTable, keys
from orchd.model.names import ESCAPES

#: pydantic's kind of error -> what is wrong, in plain words.
_WORDS: Final = {
    "string_type": "must be text in double quotes",
    "string_too_short": "is empty",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "tuple_type": "must be a list in square brackets",
    "dict_type": "must be a table of keys and values",
    "model_type": "must be a table of keys and values",
    "too_short": "is empty: give one at least",
}


def location(loc: Sequence[str | int]) -> KeyPath:
    """
    Return the keys in *loc*, without pydantic's own words for the name of an entry and for members of a union.
    """
    third = () if loc[2:3] == ("[key]",) else loc[2:3]
    return (*loc[:2], *third, *(part for part in loc[3:] if part not in ("datetime", "date")))


def say(error: ErrorDetails, merged: Merged) -> str:
    """
    Return *error* as one sentence.
    """
    key = location(error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"{place(key[:-1] if len(key) > 1 else key, merged, at=key)}{_unknown(key)}"

    if kind == "missing":
        return f"{place(key[:-1], merged)} has no '{key[-1]}'; write for example {_example(key)}"

    shown = "" if isinstance(error["input"], dict) else f" = {toml_value(error['input'])}"
    words = error["msg"] if kind == "orchd" else _words(kind, error.get("ctx", {}))
    hint = "" if ";" in words or not _example(key) else f"; write for example {_example(key)}"
    return f"{place(key, merged)}{shown}: {words}{hint}"


def is_written(kind: str, name: str, merged: Merged) -> bool:
    """
    Tell whether ``[kind]`` has an entry *name*, or is no table at all: if it is not to be had, that was told there.
    """
    table = merged.data.get(kind, {})
    return not isinstance(table, dict) or name in table


def place(key: KeyPath, merged: Merged, *, at: KeyPath | None = None) -> str:
    """
    Return ``file, line N: [table] key`` of *key*; the line is that of *at* when it is given.
    """
    depth = 2 if key[0] in NAMED else 1
    table = ".".join(map(_quoted, key[:depth]))
    rest = ".".join(map(str, key[depth:]))
    where = merged.where(at or key)
    return (f"{where}: " if where else "") + f"[{table}]" + (f" {rest}" if rest else "")


def _unknown(key: KeyPath) -> str:
    name = str(key[-1])
    if len(key) == 1:
        return f": there is no table or key '{name}'; {did_you_mean(name, Document.model_fields)}"

    model = WaitTable if "wait_for" in key[2:-1] else TABLES[str(key[0])]
    return f": there is no key '{name}'; {did_you_mean(name, keys(model))}"


def _words(kind: str, ctx: dict[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"must be {ctx['ge']} or more"
        case "less_than_equal":
            return f"must be {ctx['le']} or less"
        case "enum" | "literal_error":
            return f"must be one of {str(ctx['expected']).replace(chr(39), chr(34)).replace(' or ', ', ')}"
    if kind.startswith(("datetime", "date")):
        return "must be a date or a time without quotes"

    return _WORDS.get(kind, "has the wrong type")


def _example(key: Sequence[str | int]) -> str:
    depth = 2 if key[0] in NAMED else 1
    model: type[Table] = TABLES.get(str(key[0]), Document)
    field = keys(model).get(str(key[depth])) if len(key) > depth else None
    if field is None or not field.examples:
        return ""

    value = field.examples[0]
    return f"{key[depth]} = {value if key[depth] == 'anchor' else toml_value(value)}"


def _quoted(part: str | int) -> str:
    text = str(part)
    return text if text.replace("-", "").replace("_", "").isalnum() else f'"{text.translate(ESCAPES)}"'
