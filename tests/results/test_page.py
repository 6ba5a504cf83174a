"""
The page about results and settings is true.
"""

import re
from pathlib import Path

from orchd.engine.settings import DEFAULTS

PAGE = (Path(__file__).parents[2] / "daemon" / "docs" / "results.md").read_text()


def test_every_setting_is_listed_with_its_default() -> None:
    """
    One row for each, and no other but that of the context.
    """
    part = PAGE.split("## Settings")[1].split("## Secrets")[0]
    rows = dict(re.findall(r"^\| `([\w.]+)` \| `?(.*?)`? \| ", part.replace(r"\|", "¦"), re.MULTILINE))

    assert rows == {name: str(value).replace("|", "¦") for name, value in DEFAULTS.items()}
