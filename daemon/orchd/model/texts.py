"""
How large a text is. Pure.
"""


def utf8_size(text: str) -> int:
    """
    Return the bytes of *text* in UTF-8.
    """
    # Python knows at once whether a text is ASCII; only others are encoded to be measured.
    return len(text) if text.isascii() else len(text.encode())
