"""
Flow files on disk.
"""

import sys
import textwrap

import pytest


@pytest.fixture
def flow_file(tmp_path, monkeypatch):
    """
    Return a function that writes a flow file; what loading it does to the interpreter is undone.
    """
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "<flow>", raising=False)

    def write(text, name="flows.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write
