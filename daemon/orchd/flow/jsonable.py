"""
Whether JSON can say a value.
"""

import math

#: Integers beyond it are said as text, as many readers of JSON would round them.
MAX_JSON_INT = 2**63


def is_json(value: object) -> bool:
    """
    True when JSON says *value* exactly. Values are looked at by their type only, never compared.
    """
    if value is None or isinstance(value, bool | str):
        return True

    if isinstance(value, int):
        return -MAX_JSON_INT <= value < MAX_JSON_INT

    if isinstance(value, float):
        return math.isfinite(value)

    if type(value) is dict:
        return all(isinstance(key, str) and is_json(each) for key, each in value.items())

    return type(value) is list and all(map(is_json, value))
