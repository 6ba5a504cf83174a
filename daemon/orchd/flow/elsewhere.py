"""
Where flows were kept and run by the classic tool. Here they are only notes: the daemon reads a flow's file, and runs
each flow in a process of its own on this host.
"""

from collections.abc import Iterable
from typing import Any, Self


class Note:
    """
    A setting that is kept as it was written.
    """

    def __init__(self, *args: Any, labels: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.args = args
        self.labels = set(labels or ())
        vars(self).update(kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Storage(Note):
    """
    Root of the storages.
    """

    def add_flow(self, flow: object) -> str:
        """
        Return where *flow* is kept now: nowhere but in its own file.
        """
        return f"<{type(flow).__name__}>"

    def build(self) -> Self:
        """
        Return the storage; there is nothing to build.
        """
        return self


class Azure(Storage):
    """
    Azure Blob Storage.
    """


class Bitbucket(Storage):
    """
    A repository at Bitbucket.
    """


class CodeCommit(Storage):
    """
    A repository at AWS.
    """


class Docker(Storage):
    """
    An image.
    """


class GCS(Storage):
    """
    Google Cloud Storage.
    """


class Git(Storage):
    """
    A git repository.
    """


class GitHub(Storage):
    """
    A repository at GitHub.
    """


class GitLab(Storage):
    """
    A repository at GitLab.
    """


class Local(Storage):
    """
    A file of this host.
    """


class Module(Storage):
    """
    A module of Python.
    """


class S3(Storage):
    """
    Amazon S3.
    """


class Webhook(Storage):
    """
    An address of the web.
    """


class RunConfig(Note):
    """
    Root of the run configs.
    """


class DockerRun(RunConfig):
    """
    A container.
    """


class ECSRun(RunConfig):
    """
    A task of ECS.
    """


class KubernetesRun(RunConfig):
    """
    A job of Kubernetes.
    """


class LocalRun(RunConfig):
    """
    A process.
    """


class UniversalRun(RunConfig):
    """
    Whatever the agent does.
    """


class VertexRun(RunConfig):
    """
    A job of Vertex.
    """
