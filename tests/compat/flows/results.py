import os
import tempfile

from prefect import Flow, task
from prefect.engine.results import LocalResult, PrefectResult
from prefect.engine.serializers import JSONSerializer, PandasSerializer
from prefect.engine.result import Result

FOLDER = tempfile.mkdtemp()


@task(result=LocalResult(dir=FOLDER, serializer=JSONSerializer(), location="{task_name}.json"))
def numbers():
    return [1, 2]


@task(target="{flow_name}/{task_name}.pkl", result=LocalResult(dir=FOLDER), checkpoint=True)
def kept():
    return {"a": 1}


@task(result=PrefectResult())
def inline(x):
    return x


@task
def reads():
    written = LocalResult(dir=FOLDER, location="nine.pkl").write([9])
    return LocalResult(dir=FOLDER).read("nine.pkl").value, os.path.basename(written.location)


with Flow("results", result=LocalResult(dir=FOLDER)) as flow:
    inline(numbers())
    kept()
    reads()
