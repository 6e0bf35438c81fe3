"""bkflow-dmn: the decision table as its data model, read once.

bkflow_table.py TASK

Prints the figures as JSON.
"""

import sys

from bkflow_dmn.data_model import SingleDecisionTable
from measured import measured


def prepare(task: dict):
    columns = [{"id": name} for name in task["columns"]]
    # It writes any value as an empty cell.
    cells = [["" if cell == "-" else cell for cell in row["cells"]] for row in task["rows"]]
    table = SingleDecisionTable(
        title="rate",
        hit_policy="Unique",
        inputs={"cols": columns, "rows": cells},
        outputs={"cols": [{"id": "rate"}], "rows": [[row["output"]] for row in task["rows"]]},
    )
    return lambda inputs: table.decide(inputs)[0]["rate"]


measured(sys.argv[1], prepare)
