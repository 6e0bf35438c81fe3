"""Times evaluations of a decision table, from inputs as JSON text to the answer as JSON text, on one
thread; checks every answer, and prints the figures as JSON."""

import json
import time
from collections.abc import Callable
from pathlib import Path


def measured(file: str, prepare: Callable[[dict], Callable[[dict], object]]) -> None:
    task = json.loads(Path(file).read_text())
    evaluate = prepare(task)

    def run(seconds: float) -> tuple[float, float]:
        micros = []
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            for question in task["questions"]:
                asked = time.perf_counter()
                given = json.dumps(evaluate(json.loads(question["inputs"])))
                micros.append((time.perf_counter() - asked) * 1_000_000)
                if given != question["answer"]:
                    raise RuntimeError(f"{question['inputs']}: {given}")
        per_s = len(micros) / (time.perf_counter() - started)
        return per_s, sorted(micros)[len(micros) // 2]

    run(task["seconds"])
    per_s, p50_us = sorted(run(task["seconds"]) for _ in range(5))[2]
    print(json.dumps({"per_s": per_s, "p50_us": p50_us}))
