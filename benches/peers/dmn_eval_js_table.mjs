// dmn-eval-js: the decision table as DMN 1.1, read once.
//
// dmn_eval_js_table.mjs MODULES TASK
//
// Prints the figures as JSON.
import { createRequire } from "node:module";
import path from "node:path";

import { measured } from "./measured.mjs";

const require = createRequire(path.join(process.argv[2], "node_modules/"));
const { decisionTable } = require("@hbtgmbh/dmn-eval-js");

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function dmn({ columns, rows }) {
  const inputs = columns.map(
    (name) => `<input id="in_${name}"><inputExpression id="of_${name}"><text>${name}</text></inputExpression></input>`,
  );
  const rules = rows.map(({ cells, output }, row) => {
    const entries = cells.map((cell, at) => `<inputEntry id="e${row}_${at}"><text>${escaped(cell)}</text></inputEntry>`);
    return `<rule id="r${row}">${entries.join("")}<outputEntry id="o${row}"><text>${output}</text></outputEntry></rule>`;
  });
  return `<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd" id="bench" name="bench" namespace="urn:bench">
    <decision id="rate" name="rate"><decisionTable id="table" hitPolicy="UNIQUE">${inputs.join("")}
    <output id="out" name="rate" typeRef="string"/>${rules.join("")}</decisionTable></decision></definitions>`;
}

await measured(process.argv[3], async (task) => {
  const decisions = await decisionTable.parseDmnXml(dmn(task));
  return (inputs) => decisionTable.evaluateDecision("rate", decisions, inputs).rate;
});
