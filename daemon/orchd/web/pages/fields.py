"""
The form of a flow's parameters: one field for each, typed by its default, and back from what was typed to values.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchd.model.specs import ParameterSpec
from orchd.web.limits import MAX_DEPTH, is_deeper

#: Begins the name of each field, so that no parameter can be called like a field of ours.
PREFIX: Final = "p."
#: Together with the object of all parameters it is one level more.
_DEPTH: Final = MAX_DEPTH - 1
_TOO_DEEP: Final = f"it is nested deeper than {_DEPTH} levels; write it flatter"


class Kind(StrEnum):
    """
    How a value is typed in.
    """

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """
    One field as it is shown.
    """

    name: str
    kind: Kind
    required: bool
    #: What stands in it.
    text: str
    #: What is left out when nothing is changed, for a person.
    default: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """
    What a form that was sent says.
    """

    fields: tuple[Field, ...]
    #: Only those that differ from the flow's defaults.
    parameters: Mapping[str, object]

    @property
    def is_good(self) -> bool:
        """
        True when every field can be meant.
        """
        return all(field.error is None for field in self.fields)


def fields_of(parameters: Sequence[ParameterSpec], given: Mapping[str, object]) -> tuple[Field, ...]:
    """
    Return the fields of a form that nobody has touched.

    Args:
        given: values to begin with, in place of the defaults.
    """
    return tuple(_field(parameter, _begun(parameter, given)) for parameter in parameters)


def read(parameters: Sequence[ParameterSpec], sent: Mapping[str, str]) -> Read:
    """
    Return what *sent* (the fields of a form, by their names) says, and what is wrong with it.
    """
    fields: list[Field] = []
    values: dict[str, object] = {}
    for parameter in parameters:
        # Browsers end the lines of a text of several with both characters.
        text = sent.get(PREFIX + parameter.name, "").replace("\r\n", "\n")
        error = None
        try:
            if not _is_left_out(parameter, text):
                values[parameter.name] = _value(_kind(parameter), text)
        except ValueError as wrong:
            error = str(wrong)
        fields.append(_field(parameter, text, error))
    return Read(fields=tuple(fields), parameters=values)


def _field(parameter: ParameterSpec, text: str, error: str | None = None) -> Field:
    default = "" if parameter.required else _default_text(parameter)
    return Field(
        name=parameter.name,
        kind=_kind(parameter),
        required=parameter.required,
        text=text,
        default=default,
        error=error,
    )


def _begun(parameter: ParameterSpec, given: Mapping[str, object]) -> str:
    if parameter.name in given:
        return _shown(parameter, given[parameter.name])

    return "" if parameter.required or parameter.default_text is not None else _shown(parameter, parameter.default)


def _kind(parameter: ParameterSpec) -> Kind:
    default = parameter.default
    if isinstance(default, bool):
        return Kind.CHOICE
    if isinstance(default, int | float):
        return Kind.NUMBER
    if isinstance(default, str):
        return Kind.TEXT

    return Kind.JSON


def _shown(parameter: ParameterSpec, value: object) -> str:
    if isinstance(value, str) and _kind(parameter) is Kind.TEXT:
        return value

    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) and value else None)


def _default_text(parameter: ParameterSpec) -> str:
    return parameter.default_text if parameter.default_text is not None else _shown(parameter, parameter.default)


def _is_left_out(parameter: ParameterSpec, text: str) -> bool:
    if parameter.required:
        return False
    if not text.strip() and _kind(parameter) is not Kind.TEXT:
        return True

    return parameter.default_text is None and text == _shown(parameter, parameter.default)


def _value(kind: Kind, text: str) -> object:
    if kind is Kind.TEXT:
        return text
    if not text.strip():
        raise ValueError("a value is needed")

    try:
        value: object = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError as error:
        if kind is Kind.NUMBER:
            raise ValueError(f"{text!r} is no number; write one such as 0.3") from error
        if text.lstrip()[:1] in ("{", "[", '"'):
            raise ValueError(f"this is no JSON: {error}") from error

        # As `--param` of the command line reads it.
        return text

    if is_deeper(value, _DEPTH):
        raise ValueError(_TOO_DEEP)
    if kind is Kind.NUMBER and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{text!r} is no number; write one such as 0.3")

    return value
