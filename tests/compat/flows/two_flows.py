from prefect import Flow, task


@task
def one():
    return 1


with Flow("first") as flow:
    one()

with Flow("second") as flow:
    one() + one()
