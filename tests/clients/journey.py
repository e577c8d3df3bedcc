"""Drives one dual process with real clients: Python over its stdio, Python and TypeScript over its HTTP.

Usage: journey.py BINARY CORPUS NODE_DIR, where NODE_DIR has the TypeScript clients installed.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

TOOLS = ["create_workflow", "current_date", "get_server_info", "search_standards", "validate_workflow", "workflow"]
EVIDENCE = {"boolean": True, "integer": 3, "string": "done, see the pull request", "list": ["a"], "object": {}}
QUESTION = "two of my goroutines wait for each other forever, how do I avoid that?"
FILE = "concurrency/deadlocks.md"


class Agent:
    """A sub-agent with the Python client."""

    def __init__(self, client):
        self.client = client

    async def call(self, tool, **arguments):
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, f"{tool} {arguments}: {result.content[0].text}"
        assert json.loads(result.content[0].text) == result.structured_content
        return result.structured_content

    async def workflow(self, action, **arguments):
        return await self.call("workflow", action=action, **arguments)

    async def start(self, target):
        return await self.workflow("start", workflow_type="spec_creation_v1", target_file=target)

    async def complete(self, phase):
        """Reads the open phase and its tasks, fails its gate with nothing, and passes it."""
        at = {"session_id": phase["session_id"], "phase": phase["current_phase"]}
        assert phase["phase_content"] and phase["tasks"]
        for entry in phase["tasks"]:
            task = await self.workflow("get_task", **at, task_number=entry["task_number"])
            assert task["task_name"] == entry["name"] and task["content"]
        failed = await self.workflow("complete_phase", **at, evidence={})
        fields = phase["validation_gate"]["fields"]
        missing = [field["name"] for field in fields if field["required"]]
        assert failed["validation_result"]["diagnostics"]["fields_missing"] == missing
        assert failed["checkpoint_passed"] is False
        evidence = {field["name"]: EVIDENCE[field["type"]] for field in fields}
        passed = await self.workflow("complete_phase", **at, evidence=evidence)
        assert passed["checkpoint_passed"] is True
        return passed

    async def tools(self):
        tools = (await self.client.list_tools()).tools
        assert sorted(tool.name for tool in tools) == TOOLS
        assert all(tool.description and tool.output_schema for tool in tools)
        assert (await self.call("get_server_info"))["server"]["transport_mode"] == "dual"
        assert (await self.call("current_date"))["iso_date"] == time.strftime("%Y-%m-%d")
        found = await self.call("search_standards", query=QUESTION, n_results=3)
        files = [passage["file"] for passage in found["results"]]
        assert len(files) == 3 and files[0].endswith(FILE), files

    async def whole_workflow(self, target):
        workflows = (await self.workflow("list_workflows"))["workflows"]
        assert "spec_creation_v1" in [workflow["workflow_type"] for workflow in workflows]
        phase = await self.start(target)
        session_id = phase["session_id"]
        for number in range(6):
            assert phase["current_phase"] == number
            phase = (await self.complete(phase)).get("next_phase_content")
        state = (await self.workflow("get_state", session_id=session_id))["workflow_state"]
        assert state["is_complete"] and state["completed_phases"] == [0, 1, 2, 3, 4, 5], state
        completed = (await self.workflow("list_sessions", status="completed"))["sessions"]
        assert session_id in [line["session_id"] for line in completed]
        session = await self.workflow("get_session", session_id=session_id)
        assert session["artifacts"]["1"]["evidence"]["srd_created"] is True
        assert (await self.workflow("delete_session", session_id=session_id))["deleted"] is True
        return session_id

    async def refusals(self, gone):
        cases = [
            ("workflow", {"action": "no_such"}),
            ("workflow", {"action": "get_state", "session_id": gone}),
            ("search_standards", {"query": ""}),
            ("search_standards", {"query": "x", "n_results": 0}),
            ("current_date", {"zone": "x"}),
        ]
        for tool, arguments in cases:
            refused = await self.client.call_tool(tool, arguments)
            assert refused.is_error, arguments
            assert json.loads(refused.content[0].text)["error"], refused
        try:
            await self.client.call_tool("no_such_tool", {})
        except MCPError as error:
            assert "there is no tool `no_such_tool`" in str(error), error
        else:
            raise AssertionError("a tool that does not exist was called")

    async def everything(self, target):
        await self.tools()
        await self.refusals(await self.whole_workflow(target))


async def python(url, mode, part, target):
    async with Client(url, mode=mode) as client:
        expected = "2025-11-25" if mode == "legacy" else "2026-07-28"
        assert client.protocol_version == expected, client.protocol_version
        agent = Agent(client)
        if part == "all":
            await agent.everything(target)
        else:
            started = await agent.start(target)
            assert started["resumed"] is True
            await agent.complete(started)


async def typescript(node_dir, url, sdk, part, target):
    command = ["node", str(node_dir / "journey.mjs"), sdk, url, part, target, QUESTION, FILE]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 0, f"{sdk}: {said.decode()}"


async def timed(name, work):
    started = time.monotonic()
    await work
    print(f"{name:<64} ok {time.monotonic() - started:6.1f} s", flush=True)


async def until_searchable(agent):
    """Waits for the first index, which the corpus's 1,500 passages take a minute or so."""
    for _ in range(1200):
        if (await agent.call("get_server_info"))["search"]["status"] == "ready":
            return
        await asyncio.sleep(0.5)
    raise AssertionError("the standards were not indexed in ten minutes")


async def drive(client, state, node_dir):
    assert client.protocol_version == "2026-07-28", client.protocol_version
    assert client.server_info.name == "lockstep" and "search_standards" in client.instructions
    ide = Agent(client)
    url = json.loads((state / ".mcp_server_state.json").read_text())["url"]
    await timed("standards indexed", until_searchable(ide))

    clients = {
        "Python mcp 2.3.0, HTTP 2026-07-28": lambda *work: python(url, "auto", *work),
        "Python mcp 2.3.0, HTTP 2025-11-25": lambda *work: python(url, "legacy", *work),
        "TypeScript sdk 1.32.2, HTTP 2025-11-25": lambda *work: typescript(node_dir, url, "v1", *work),
        "TypeScript client 2.4.0, HTTP 2025-11-25": lambda *work: typescript(node_dir, url, "v2", *work),
        "TypeScript client 2.4.0, HTTP 2026-07-28": lambda *work: typescript(node_dir, url, "v2-auto", *work),
    }
    # All of them at once, each on a target of its own.
    async with asyncio.TaskGroup() as at_once:
        everything = ide.everything("docs/stdio.md")
        at_once.create_task(timed("Python mcp 2.3.0, stdio 2026-07-28: spec_creation_v1", everything))
        for number, (name, client_of) in enumerate(clients.items()):
            work = client_of("all", f"docs/{number}.md")
            at_once.create_task(timed(f"{name}: spec_creation_v1", work))

    # One session handed from client to client, a phase each, begun and ended over stdio.
    relay = await ide.start("docs/relay.md")
    assert relay["resumed"] is False
    await ide.complete(relay)
    for number, (name, client_of) in enumerate(clients.items(), 1):
        await timed(f"{name}: phase {number} of one session", client_of("advance", "docs/relay.md"))
    session = await ide.workflow("get_session", session_id=relay["session_id"])
    assert session["session_status"] == "completed", session
    assert sorted(session["artifacts"]) == ["0", "1", "2", "3", "4", "5"], session


async def main(binary, corpus, node_dir):
    with tempfile.TemporaryDirectory() as scratch:
        state, log = Path(scratch) / "state", Path(scratch) / "log"
        shutil.copy(Path(__file__).with_name("journey.mjs"), node_dir)
        arguments = ["serve", "--transport", "dual", "--listen", "127.0.0.1:0"]
        arguments += ["--content", corpus, "--state", f"file://{state}"]
        with log.open("w") as stderr:
            server = StdioServerParameters(command=binary, args=arguments, env=dict(os.environ))
            try:
                async with Client(stdio_client(server, errlog=stderr)) as client:
                    await drive(client, state, Path(node_dir))
            except BaseException:
                print(log.read_text(), file=sys.stderr)
                raise
        assert not (state / ".mcp_server_state.json").exists(), "the process did not end in order"


asyncio.run(main(*sys.argv[1:]))
