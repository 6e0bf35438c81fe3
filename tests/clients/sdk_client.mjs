// FlowMaster seen by the client of the TypeScript SDK 1.x.
//
//     sdk_client.mjs MODULES http|sse URL    the key is FLOWMASTER_KEY
//     sdk_client.mjs MODULES stdio PROGRAM FOLDER
//
// MODULES is the folder in which the SDK is installed. Prints `ok <transport> <check>` for each
// check and ends at the first difference.

import { createRequire } from "node:module";

import {
  expect,
  invoiceApprovalIsFound,
  invoiceApprovalIsRead,
  processIsNotFound,
  promptsAreListed,
  rulesImportOthers,
  run,
  toolsAreListed,
} from "./checks.mjs";

const [modules, transport, ...rest] = process.argv.slice(2);
const sdk = createRequire(`${modules}/package.json`);
const { Client } = sdk("@modelcontextprotocol/sdk/client/index.js");

function connection() {
  if (transport === "stdio") {
    const { StdioClientTransport } = sdk("@modelcontextprotocol/sdk/client/stdio.js");
    const [command, folder] = rest;
    const args = ["mcp", "--data-dir", folder];
    return new StdioClientTransport({ command, args });
  }
  const [url] = rest;
  const headers = { Authorization: `Bearer ${process.env.FLOWMASTER_KEY}` };
  const options = { requestInit: { headers } };
  switch (transport) {
    case "http": {
      const name = "@modelcontextprotocol/sdk/client/streamableHttp.js";
      const { StreamableHTTPClientTransport } = sdk(name);
      return new StreamableHTTPClientTransport(new URL(`${url}/mcp`), options);
    }
    case "sse": {
      const { SSEClientTransport } = sdk("@modelcontextprotocol/sdk/client/sse.js");
      return new SSEClientTransport(new URL(`${url}/sse`), options);
    }
    default:
      throw new Error(`${transport} is no transport: http, sse or stdio`);
  }
}

await run(async () => {
  const ok = (name) => console.log(`ok ${transport} ${name}`);
  const client = new Client({ name: "typescript-sdk", version: "1" });
  await client.connect(connection());
  try {
    const server = client.getServerVersion();
    expect(server?.name === "flowmaster", `the server is ${JSON.stringify(server)}`);
    ok("connect");
    toolsAreListed(await client.listTools());
    ok("tools/list");
    invoiceApprovalIsFound(await client.callTool({ name: "process_search", arguments: {} }));
    ok("tools/call");
    const mistake = { name: "process_start", arguments: { process: "no-such-process" } };
    processIsNotFound(await client.callTool(mistake));
    ok("tools/call with a mistake");
    const uri = "flowmaster://process/invoice-approval";
    invoiceApprovalIsRead(await client.readResource({ uri }));
    ok("resources/read");
    promptsAreListed(await client.listPrompts());
    ok("prompts/list");
    await rulesImportOthers((call) => client.callTool(call));
    ok("rules that import others");
  } finally {
    await client.close();
  }
});
