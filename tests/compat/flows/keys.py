import os
import tempfile

os.environ["ORCHD_RESULTS_DIR"] = tempfile.mkdtemp()

from prefect import Flow, task
from prefect.backend import get_key_value, list_keys, set_key_value
from prefect.backend.kv_store import delete_key


@task
def remember(n):
    set_key_value(key="last", value=n)


@task
def recall():
    last = get_key_value("last")
    delete_key("last")
    return last, list_keys()


with Flow("keys") as flow:
    recall(upstream_tasks=[remember(7)])
