"""SpiffWorkflow: the decision table by its DMN engine, whose cells are Python; it stops at the first
rule that matches.

spiff_table.py TASK

Prints the figures as JSON.
"""

import re
import sys
from pathlib import Path

from measured import measured
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.dmn.engine.DMNEngine import DMNEngine
from SpiffWorkflow.dmn.specs.model import (
    DecisionTable,
    Input,
    InputEntry,
    Output,
    OutputEntry,
    Rule,
)


def in_python(cell: str) -> str | None:
    """A cell as that engine writes it; `?` is the input."""
    if cell == "-":
        return None
    if cell in ("true", "false"):
        return cell.title()
    if span := re.fullmatch(r"\[(.+)\.\.(.+)\)", cell):
        return f"{span[1]} <= ? < {span[2]}"
    if cell.startswith('"'):
        return f"? in ({cell})"
    return f"? {cell}"


def prepare(task: dict):
    table = DecisionTable("table", "table", "UNIQUE")
    table.inputs = [Input(name, name, name, name, "") for name in task["columns"]]
    table.outputs = [Output("rate", "rate", "rate", "string")]
    for number, row in enumerate(task["rows"]):
        rule = Rule(str(number))
        rule.row_number = number
        for input, cell in zip(table.inputs, row["cells"]):
            entry = InputEntry(f"{number} {input.id}", input)
            entry.lhs.append(in_python(cell))
            rule.inputEntries.append(entry)
        entry = OutputEntry(str(number), table.outputs[0])
        entry.text = row["output"]
        rule.outputEntries.append(entry)
        table.rules.append(rule)
    parser = BpmnParser()
    parser.add_bpmn_file(str(Path(__file__).with_name("approval.bpmn")))
    within = BpmnWorkflow(parser.get_spec("approval")).task_tree
    engine = DMNEngine(table)

    def evaluate(inputs: dict) -> object:
        within.data = inputs
        return engine.result(within)["rate"]

    return evaluate


measured(sys.argv[1], prepare)
