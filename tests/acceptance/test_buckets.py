"""
Results in buckets under the daemon, with endpoints and credentials from the runs' environment.
"""

from orchd.results.gcs import GCSResult
from orchd.results.s3 import S3Result
from support.bucket_servers import make_bucket, running
from support.daemon import Daemon

FLOW = """
from orchd import Flow, GCSResult, S3Result, task


@task(result=S3Result("bucket-s3", location="{flow_name}/{task_name}.pkl"))
def first():
    return [1, 2]


@task(result=GCSResult("bucket-gcs"), target="{flow_name}/second.pkl")
def second(values):
    return sum(values)


with Flow("buckets") as flow:
    second(first())
"""


def test_runs_write_and_read_buckets(daemon: Daemon, monkeypatch) -> None:
    """
    The first run stores a result in each service, the second finds its target there; the store knows where they are.
    """
    with running("s3") as s3_url, running("gcs") as gcs_url:
        values = {
            "AWS_ENDPOINT_URL": s3_url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "STORAGE_EMULATOR_HOST": gcs_url,
        }
        env_file = daemon.home / "flows.env"
        env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        make_bucket("s3", s3_url, "bucket-s3")
        make_bucket("gcs", gcs_url, "bucket-gcs")
        daemon.flow("buckets.py", FLOW)
        daemon.configure(flows=f'env_file = "{env_file}"')
        daemon.start()
        told = [daemon.finished(daemon.begin("buckets"), within_s=60) for _ in range(2)]
        for name, value in values.items():
            monkeypatch.setenv(name, value)

        assert S3Result("bucket-s3").read("buckets/first.pkl").value == [1, 2]
        assert GCSResult("bucket-gcs").read("buckets/second.pkl").value == 3

    states = [{each["slug"]: each["state"] for each in run["tasks"]} for run in told]
    assert states == [{"first-1": "success", "second-1": "success"}, {"first-1": "success", "second-1": "cached"}]
