"""Clients that know what they sent, how long each answer took, and what it said."""

import asyncio
import collections
import dataclasses
import json
import os
import random
import time

# Whom the servers let in.
TOKEN = "observe-observe-observe"
VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "observe", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
PHASES = 3
AGENTS_A_SESSION = 5
ROUNDS_A_SHARED_SESSION = 2
# All ask it at once: seldom enough that those who wait for the load stay under 5 % of the requests.
ROUNDS_A_NEW_QUESTION = 6
# An agent reads before it calls again, up to twice this long. Agents that never think saturate the
# disk, and then changes do wait for each other: that load is for what has to hold beyond the edge.
THINK_SECONDS = 0.3
QUESTIONS = [
    "How do two agents share one session?",
    "What do I do when a gate refuses my evidence?",
    "Which settings has search?",
    "How do I send traces to a collector?",
    "May several processes share one state directory?",
]


@dataclasses.dataclass
class Tally:
    """What was sent to one server."""

    seconds: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    traces: dict = dataclasses.field(default_factory=dict)
    failures: list = dataclasses.field(default_factory=list)

    def count(self, method=None, tool=None):
        return sum(len(all_) for (m, t), all_ in self.seconds.items() if method in (None, m) and tool in (None, t))

    def spent(self, method, tool):
        return self.seconds[(method, tool)]


class Client:
    """One connection. Each request carries a `traceparent`, whose trace it notes."""

    def __init__(self, url, tally, sampled=True, think=0):
        self.think = think
        self.host, self.port = url.removeprefix("http://").removesuffix("/mcp").split(":")
        self.tally = tally
        self.flag = "01" if sampled else "00"
        self.streams = None
        self.number = 0

    async def request(self, method, params, name="", at_once=False):
        self.number += 1
        await asyncio.sleep(0 if at_once else random.uniform(0, 2 * self.think))
        trace, span = os.urandom(16).hex(), os.urandom(8).hex()
        message = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params | {"_meta": META}}
        body = json.dumps(message).encode()
        headers = {
            "Host": f"{self.host}:{self.port}", "Content-Type": "application/json", "Content-Length": len(body),
            "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION, "Mcp-Method": method,
            "Authorization": f"Bearer {TOKEN}", "traceparent": f"00-{trace}-{span}-{self.flag}",
        } | ({"Mcp-Name": name} if name else {})
        head = "POST /mcp HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        started = time.perf_counter()
        status, answer = await self.exchange(head.encode() + body)
        self.tally.seconds[(method, name if method == "tools/call" else "")].append(time.perf_counter() - started)
        self.tally.traces[trace] = (span, method, name)
        if status != 200:
            self.tally.failures.append(f"{method} {name}: {status} {answer[:200]!r}")
            return {}
        return json.loads(answer)

    async def exchange(self, sent):
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, int(self.port))
        reader, writer = self.streams
        writer.write(sent)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        return int(head.split(" ", 2)[1]), await reader.readexactly(length)

    async def call(self, tool, at_once=False, **arguments):
        answer = await self.request("tools/call", {"name": tool, "arguments": arguments}, tool, at_once)
        return answer.get("result", {}).get("structuredContent", {})

    async def search(self, query, n_results=1, at_once=False):
        found = await self.call("search_standards", at_once, query=query, n_results=n_results)
        if not found.get("results"):
            self.tally.failures.append(f"search {query!r}: {found}")
        return found

    async def workflow(self, action, **arguments):
        return await self.call("workflow", action=action, **arguments)

    def close(self):
        if self.streams:
            self.streams[1].close()


async def own_session(client, target, spoil):
    """Walks through a session that nobody else knows; once with evidence that the gate refuses."""
    started = await client.workflow("start", workflow_type="load_v1", target_file=target)
    session = started.get("session_id")
    if spoil:
        await client.workflow("complete_phase", session_id=session, phase=0, evidence={})
    for phase in range(PHASES):
        await client.workflow("get_phase", session_id=session)
        done = await client.workflow("complete_phase", session_id=session, phase=phase, evidence={"by": "load"})
        if done.get("checkpoint_passed") is not True:
            client.tally.failures.append(f"own session: {done}")
    await client.workflow("get_state", session_id=session)
    if not client.think:  # Without a pause they would soon be more than are kept.
        await client.workflow("delete_session", session_id=session)


async def shared_session(client, target):
    """Starts or joins a session, and tries to complete its open phase as the others do."""
    joined = await client.workflow("start", workflow_type="load_v1", target_file=target)
    await client.workflow("complete_phase", session_id=joined.get("session_id"),
                          phase=joined.get("current_phase", 0), evidence={"by": "load"})


async def agent(client, number, until, together):
    """Works until the time is over. All agents of a server ask each new question at the same moment."""
    round_ = 0
    try:
        while time.monotonic() < until:
            await own_session(client, f"own/{number}-{round_}.rs", spoil=round_ % 2 == 0)
            if round_ % ROUNDS_A_SHARED_SESSION == 0:
                await shared_session(client, f"shared/{number % AGENTS_A_SESSION}-{round_ // 4}.rs")
            for question in QUESTIONS:
                await client.search(question)
            if number % together.parties == 0:
                # One agent, so that nobody waits: a fast server has done all of the above before the
                # first export, and no rate of it is ever seen.
                await client.search(f"how is case {round_} of this agent to be done?")
            await client.request("tools/list", {})
            if round_ % ROUNDS_A_NEW_QUESTION == 0:
                await together.wait()
                await client.search(f"what has the team agreed on for case {round_}?", at_once=True)
            round_ += 1
    except asyncio.BrokenBarrierError:
        pass  # Another agent's time is over, and so is this one's.
    finally:
        await together.abort()
        client.close()


async def fleet(servers, seconds, agents, think):
    """Lets `agents` work on each server of `servers` (url, tally) at once."""
    until = time.monotonic() + seconds
    work = []
    for server, (url, tally) in enumerate(servers):
        together = asyncio.Barrier(agents)
        work += [
            agent(Client(url, tally, think=think), server * agents + n, until, together) for n in range(agents)
        ]
    await asyncio.gather(*work)


def drive(servers, seconds, agents, think=THINK_SECONDS):
    """Lets agents work on each of `servers` (url, tally); returns when they are done."""
    asyncio.run(fleet(servers, seconds, agents, think))
