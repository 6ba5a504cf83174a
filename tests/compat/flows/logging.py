import logging

import prefect
from prefect import Flow, task
from prefect.utilities.logging import get_logger

RECORDS = []


class Keep(logging.Handler):
    def emit(self, record):
        RECORDS.append(record.getMessage())


logger = get_logger("keeps")
logger.addHandler(Keep())


def log(text, level="info"):
    getattr(prefect.context.logger, level)(text)


@task
def says():
    log("from a helper", "warning")
    logger.info("kept")
    return list(RECORDS)


with Flow("logging") as flow:
    says()
