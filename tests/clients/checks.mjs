// What every JavaScript client checks, and how a script of one client ends.

import { readFile } from "node:fs/promises";

// For everything together: a server that does not answer is a failure, not a wait.
export const MILLISECONDS = 90_000;

export function expect(found, what) {
  if (!found) throw new Error(what);
}

export function toolsAreListed({ tools }) {
  const names = tools.map((tool) => tool.name);
  for (const name of ["process_search", "invoice_approve"]) {
    expect(names.includes(name), `${name} is not among the tools ${names}`);
  }
}

export function invoiceApprovalIsFound(result) {
  expect(!result.isError, `process_search failed: ${JSON.stringify(result)}`);
  const processes = result.structuredContent.items.map((item) => item.id);
  expect(processes.includes("invoice-approval"), `invoice-approval is not among ${processes}`);
}

export function processIsNotFound(result) {
  const shown = JSON.stringify(result);
  expect(result.isError, `a process that does not exist was started: ${shown}`);
  const code = result._meta?.["flowmaster/error"]?.code;
  expect(code === "process_not_found", `the code of the error is ${code}: ${shown}`);
}

export function invoiceApprovalIsRead({ contents }) {
  const process = JSON.parse(contents[0].text);
  expect(process.id === "invoice-approval", `another process was read: ${contents[0].text}`);
}

export function promptsAreListed({ prompts }) {
  const names = prompts.map((prompt) => prompt.name);
  expect(names.includes("model-a-process"), `model-a-process is not among ${names}`);
}

// Whether all that is wanted is in what was found.
function holds(found, wanted) {
  if (wanted === null || typeof wanted !== "object") return found === wanted;
  if (Array.isArray(wanted) && found?.length !== wanted.length) return false;
  return Object.entries(wanted).every(([key, value]) => holds(found?.[key], value));
}

// Saves, tests, publishes and asks two rule files, one of which imports the other.
export async function rulesImportOthers(call) {
  const flow = await readFile(new URL("rules.json", import.meta.url), "utf8");
  for (const { tool, arguments: given, answer = {}, code } of JSON.parse(flow)) {
    const result = await call({ name: tool, arguments: given });
    const isRight =
      result._meta?.["flowmaster/error"]?.code === code && holds(result.structuredContent, answer);
    expect(isRight, `${tool} ${JSON.stringify(given)} answers ${JSON.stringify(result)}`);
  }
}

// Runs `check`; ends the process with 1 at the first difference, and when it goes on for too long.
export async function run(check) {
  const late = setTimeout(() => {
    console.error(`not finished after ${MILLISECONDS} ms`);
    process.exit(1);
  }, MILLISECONDS);
  // A process that is done need not wait for it; one that a connection keeps alive is ended by it.
  late.unref();
  try {
    await check();
  } catch (error) {
    console.error(error);
    // A client that could not connect may try again for ever.
    process.exit(1);
  }
}
