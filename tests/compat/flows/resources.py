from prefect import Flow, resource_manager, task

LIFE = []


@resource_manager
class Cluster:
    def __init__(self, size):
        self.size = size

    def __repr__(self):
        return "Cluster"

    def setup(self):
        LIFE.append("up")
        return {"size": self.size}

    def cleanup(self, cluster):
        LIFE.append("down")


@task
def work(cluster):
    LIFE.append("work")
    return cluster["size"]


@task
def life():
    return LIFE[:2]


with Flow("resources") as flow:
    with Cluster(3) as cluster:
        done = work(cluster)
    told = life(upstream_tasks=[cluster.cleanup_task] if hasattr(cluster, "cleanup_task") else [done])
