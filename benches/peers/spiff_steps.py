"""SpiffWorkflow: start, script, user task, end; the state is committed to SQLite (WAL,
synchronous=FULL) at the user task and at the end, one instance after the other.

spiff_steps.py FOLDER INSTANCES

Prints the figures as JSON.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

MODEL = Path(__file__).with_name("approval.bpmn")


def main(folder: str, instances: int) -> None:
    parser = BpmnParser()
    parser.add_bpmn_file(str(MODEL))
    spec = parser.get_spec("approval")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    database = sqlite3.connect(Path(folder) / "spiff.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE instance (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")

    def save(id: int, workflow: BpmnWorkflow) -> None:
        state = serializer.serialize_json(workflow)
        database.execute("INSERT OR REPLACE INTO instance VALUES (?, ?)", (id, state))

    def one(id: int) -> float:
        started = time.perf_counter()
        workflow = BpmnWorkflow(spec)
        workflow.task_tree.set_data(amount=1200)
        workflow.do_engine_steps()
        save(id, workflow)
        (task,) = workflow.get_tasks(state=TaskState.READY, manual=True)
        task.data["approved"] = True
        task.run()
        workflow.do_engine_steps()
        if not workflow.completed:
            raise RuntimeError("SpiffWorkflow did not run the process to its end")
        save(id, workflow)
        return (time.perf_counter() - started) * 1000

    warm_up = max(instances // 10, 1)
    for id in range(warm_up):
        one(id)
    started = time.perf_counter()
    millis = sorted(one(warm_up + id) for id in range(instances))
    seconds = time.perf_counter() - started
    quantile = lambda share: millis[round((len(millis) - 1) * share)]
    print(json.dumps({"per_s": instances / seconds, "p50_ms": quantile(0.5), "p99_ms": quantile(0.99)}))


main(sys.argv[1], int(sys.argv[2]))
