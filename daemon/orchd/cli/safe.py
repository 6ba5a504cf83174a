"""
Text from anybody's code, made safe for a terminal.
"""

#: Control characters except tab: C0, DEL, C1, and those that turn the direction of writing or break lines.
_CONTROLS = (
    *range(9),
    *range(10, 32),
    *range(127, 160),
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_ESCAPED = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _CONTROLS}


def safe(text: str) -> str:
    """
    Return *text* on one line, with each control character as its escape, such as ``\\x1b``.
    """
    return text.translate(_ESCAPED)
