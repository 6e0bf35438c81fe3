// feelin: the cells of a decision table as unary tests, rule after rule until one matches; the library
// has no tables. It reads an expression each time that it evaluates it.
//
// feelin_table.mjs MODULES TASK
//
// Prints the figures as JSON.
import path from "node:path";
import { pathToFileURL } from "node:url";

import { measured } from "./measured.mjs";

const library = path.join(process.argv[2], "node_modules/feelin/dist/index.js");
const { evaluate, unaryTest } = await import(pathToFileURL(library));

await measured(process.argv[3], ({ columns, rows }) => (inputs) => {
  const passes = (cell, at) => unaryTest(cell, { "?": inputs[columns[at]] }).value === true;
  const row = rows.find(({ cells }) => cells.every(passes));
  return evaluate(row.output).value;
});
