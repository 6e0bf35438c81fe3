"""FlowMaster seen by the client of fastmcp (Python).

    fastmcp_client.py http-modern|http-legacy|sse URL    the key is FLOWMASTER_KEY
    fastmcp_client.py stdio PROGRAM FOLDER

Prints `ok <transport> <check>` for each check and ends at the first difference.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport

# For everything together: a server that does not answer is a failure, not a wait.
SECONDS = 90


def expect(found, what):
    if not found:
        raise AssertionError(what)


def holds(found, wanted):
    """Whether all that is wanted is in what was found."""
    if isinstance(wanted, dict):
        return all(key in found and holds(found[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(holds, found, wanted))
    return found == wanted


def client(transport, arguments):
    """A client of this transport that is not connected yet, and the revision it should agree on."""
    if transport == "stdio":
        program, folder = arguments
        server = StdioTransport(program, ["mcp", "--data-dir", folder], keep_alive=False)
        return Client(server, timeout=SECONDS), "2026-07-28"
    [url] = arguments
    headers = {"Authorization": f"Bearer {os.environ['FLOWMASTER_KEY']}"}
    match transport:
        case "http-modern":
            return Client(StreamableHttpTransport(f"{url}/mcp", headers=headers)), "2026-07-28"
        case "http-legacy":
            server = StreamableHttpTransport(f"{url}/mcp", headers=headers)
            return Client(server, mode="legacy"), "2025-11-25"
        case "sse":
            # HTTP+SSE is older than revisions that need no handshake.
            return Client(SSETransport(f"{url}/sse", headers=headers), mode="legacy"), None
    raise SystemExit(f"{transport} is no transport\n{__doc__}")


async def check(transport, arguments):
    def ok(name):
        print(f"ok {transport} {name}", flush=True)

    connection, revision = client(transport, arguments)
    async with connection as server:
        expect(server.server_info.name == "flowmaster", f"the server is {server.server_info}")
        agreed = server.protocol_version
        expect(revision in (None, agreed), f"the revision is {agreed}, not {revision}")
        ok(f"connect ({agreed})")

        names = [tool.name for tool in await server.list_tools()]
        for name in ("process_search", "invoice_approve"):
            expect(name in names, f"{name} is not among the tools {names}")
        ok("tools/list")

        found = await server.call_tool_mcp("process_search", {})
        expect(not found.is_error, f"process_search failed: {found}")
        processes = [item["id"] for item in found.structured_content["items"]]
        expect("invoice-approval" in processes, f"invoice-approval is not among {processes}")
        ok("tools/call")

        refused = await server.call_tool_mcp("process_start", {"process": "no-such-process"})
        expect(refused.is_error, f"a process that does not exist was started: {refused}")
        code = (refused.meta or {}).get("flowmaster/error", {}).get("code")
        expect(code == "process_not_found", f"the code of the error is {code}: {refused}")
        ok("tools/call with a mistake")

        [content] = await server.read_resource("flowmaster://process/invoice-approval")
        process = json.loads(content.text)
        expect(process["id"] == "invoice-approval", f"another process was read: {process}")
        ok("resources/read")

        prompts = [prompt.name for prompt in await server.list_prompts()]
        expect("model-a-process" in prompts, f"model-a-process is not among {prompts}")
        ok("prompts/list")

        for step in json.loads(Path(__file__).with_name("rules.json").read_text()):
            answer = await server.call_tool_mcp(step["tool"], step["arguments"])
            code = (answer.meta or {}).get("flowmaster/error", {}).get("code")
            is_right = code == step.get("code") and holds(
                answer.structured_content, step.get("answer", {})
            )
            expect(is_right, f"{step} answers {answer}")
        ok("rules that import others")


async def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    async with asyncio.timeout(SECONDS):
        await check(sys.argv[1], sys.argv[2:])


asyncio.run(main())
