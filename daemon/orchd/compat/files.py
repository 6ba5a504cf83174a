"""
Old names in files: listing and rewriting them.
"""

import io
import os
import tempfile
import tokenize
from contextlib import suppress
from pathlib import Path

from orchd.compat.fixing import Fixed, fix
from orchd.compat.reading import Absence, absences
from orchd.errors import FlowError, NotFound


def absences_in(file: Path) -> list[Absence]:
    """
    List what *file* uses that means nothing here, by line; nothing for a file that cannot be read as Python.
    """
    try:
        return absences(_text(file.read_bytes())[0].encode())
    except (OSError, SyntaxError, ValueError):
        return []


def fix_file(file: Path) -> Fixed:
    """
    Rewrite the old names in *file*: whole or not at all, with its permissions, its encoding and its line ends.

    Raises:
        NotFound: there is no such file.

        FlowError: it cannot be read as Python, or cannot be written.
    """
    try:
        source = file.read_bytes()
        text, encoding = _text(source)
        fixed = fix(text.encode())
        if fixed.changes:
            _replace(file.resolve(), fixed.source.decode().encode(encoding))
    except FileNotFoundError as exc:
        raise NotFound(f"there is no flow file {file.absolute()}; --fix takes the path of a Python file") from exc
    except OSError as exc:
        raise FlowError(f"{file}: cannot be rewritten: {exc.strerror}") from exc
    except SyntaxError as exc:
        line = f", line {exc.lineno}" if exc.lineno else ""
        raise FlowError(f"{file}{line}: syntax error: {exc.msg}; nothing was changed") from exc
    except ValueError as exc:
        raise FlowError(f"{file}: cannot be read as Python: {exc}; nothing was changed") from exc

    return fixed


def _text(source: bytes) -> tuple[str, str]:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding), encoding


def _replace(file: Path, data: bytes) -> None:
    mode = file.stat().st_mode
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        try:
            new.write(data)
            new.flush()
            os.fchmod(new.fileno(), mode & 0o7777)
            os.fsync(new.fileno())
            os.replace(new.name, file)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(new.name)

            raise
