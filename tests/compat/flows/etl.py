"""The first flow of everybody: extract, transform, load."""
from prefect import Flow, Parameter, task


@task
def extract(path):
    return [1, 2, 3]


@task
def transform(rows, factor):
    return [row * factor for row in rows]


@task(log_stdout=True)
def load(rows):
    print(f"loaded {len(rows)} rows")


with Flow("ETL") as flow:
    path = Parameter("path", default="data.csv")
    factor = Parameter("factor", default=10)
    load(transform(extract(path), factor))

if __name__ == "__main__":
    flow.run()
