"""DBOS: a workflow of two steps, closed loop.

dbos_steps.py DATABASE_URL INSTANCES CONCURRENCY

Prints the figures as JSON.
"""

import json
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, DBOSConfig


@DBOS.step()
def script(amount: int) -> int:
    return amount * 2


@DBOS.step()
def task(double: int) -> dict:
    return {"double": double, "approved": True}


@DBOS.workflow()
def approval(amount: int) -> dict:
    return task(script(amount))


def one(_: int) -> float:
    started = time.perf_counter()
    if not approval(1200)["approved"]:
        raise RuntimeError("DBOS did not run the workflow to its end")
    return (time.perf_counter() - started) * 1000


def main(url: str, instances: int, concurrency: int) -> None:
    config: DBOSConfig = {
        "name": "approval",
        "system_database_url": url,
        "run_admin_server": False,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    logging.disable(logging.CRITICAL)
    DBOS.launch()
    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(one, range(max(instances // 10, 1))))
        started = time.perf_counter()
        millis = sorted(pool.map(one, range(instances)))
        seconds = time.perf_counter() - started
    quantile = lambda share: millis[round((len(millis) - 1) * share)]
    print(json.dumps({"per_s": instances / seconds, "p50_ms": quantile(0.5), "p99_ms": quantile(0.99)}))
    DBOS.destroy()


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
