from prefect import Flow, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.backend.artifacts import create_link_artifact as link


@task
def shows():
    create_markdown_artifact("# 3 rows")
    link("https://example.org")
    return create_link_artifact("https://example.org/rows")


with Flow("artifacts") as flow:
    shows()
