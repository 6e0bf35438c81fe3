// FlowMaster seen by the command line of the MCP Inspector.
//
//     inspector_client.mjs MODULES http-modern|http-legacy|sse URL    the key is FLOWMASTER_KEY
//     inspector_client.mjs MODULES stdio PROGRAM FOLDER
//
// MODULES is the folder in which the Inspector is installed. Prints `ok <transport> <check>` for
// each check and ends at the first difference.

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import {
  invoiceApprovalIsFound,
  invoiceApprovalIsRead,
  MILLISECONDS,
  processIsNotFound,
  promptsAreListed,
  run,
  toolsAreListed,
} from "./checks.mjs";

const [modules, transport, ...rest] = process.argv.slice(2);
const manifest = "@modelcontextprotocol/inspector/package.json";
const home = dirname(createRequire(`${modules}/package.json`).resolve(manifest));
const inspector = join(home, "clients/launcher/build/index.js");

function server() {
  const [place, folder] = rest;
  const header = ["--header", `Authorization: Bearer ${process.env.FLOWMASTER_KEY}`];
  const http = ["--transport", "http", "--server-url", `${place}/mcp`, ...header];
  switch (transport) {
    case "http-modern":
      return { options: [...http, "--protocol-era", "modern"], command: [] };
    case "http-legacy":
      return { options: [...http, "--protocol-era", "legacy"], command: [] };
    case "sse":
      return {
        options: ["--transport", "sse", "--server-url", `${place}/sse`, ...header],
        command: [],
      };
    case "stdio":
      return { options: [], command: [place, "mcp", "--data-dir", folder] };
    default:
      throw new Error(`${transport} is no transport: http-modern, http-legacy, sse or stdio`);
  }
}

// What the Inspector prints, read as JSON. A tool's error may end it with a status of its own.
function answer(...method) {
  const { options, command } = server();
  const target = command.length === 0 ? [] : ["--", ...command];
  const words = [inspector, "--cli", ...options, "--method", ...method, ...target];
  const limits = { timeout: MILLISECONDS, maxBuffer: 16 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, words, limits, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        reject(new Error(`${method.join(" ")}: ${error ?? "no JSON"}\n${stdout}${stderr}`));
      }
    });
  });
}

await run(async () => {
  const ok = (name) => console.log(`ok ${transport} ${name}`);
  toolsAreListed(await answer("tools/list"));
  ok("tools/list");
  invoiceApprovalIsFound(await answer("tools/call", "--tool-name", "process_search"));
  ok("tools/call");
  const mistake = ["--tool-name", "process_start", "--tool-arg", "process=no-such-process"];
  processIsNotFound(await answer("tools/call", ...mistake));
  ok("tools/call with a mistake");
  const uri = "flowmaster://process/invoice-approval";
  invoiceApprovalIsRead(await answer("resources/read", "--uri", uri));
  ok("resources/read");
  promptsAreListed(await answer("prompts/list"));
  ok("prompts/list");
});
