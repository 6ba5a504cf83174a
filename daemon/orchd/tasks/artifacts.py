"""
Artifacts: links and texts that a task showed on the classic tool's page. Here they are lines of its log.
"""

from orchd.engine.context import context
from orchd.engine.logs import ROOT


def create_link_artifact(link: str) -> None:
    """
    Log *link*.
    """
    _say("Link", link)


def create_markdown_artifact(markdown: str) -> None:
    """
    Log *markdown*, as it is written.
    """
    _say("Markdown", markdown)


create_link = create_link_artifact
create_markdown = create_markdown_artifact


def _say(kind: str, text: str) -> None:
    logger = context.get("logger") or ROOT
    logger.info("%s: %s", kind, text)
