"""The Python SDK: `sdk.py URL legacy|auto`, with the token in QUAYMASTER_TOKEN.

The steps are those of scenario.mjs.
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ToolsListChanged
from mcp.types import ToolListChangedNotification


def say(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


async def hear():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


class Http:
    """An HTTP client with a token, which notes what the SDK hides: session and last status."""

    def __init__(self, token, session=None):
        self.session = session
        self.status = None
        headers = {"Authorization": f"Bearer {token}"}
        if session:
            headers["Mcp-Session-Id"] = session
        hooks = {"response": [self.note]}
        self.client = httpx2.AsyncClient(headers=headers, event_hooks=hooks, timeout=60)

    async def note(self, response):
        self.session = response.headers.get("mcp-session-id", self.session)
        self.status = response.status_code


async def names(client):
    return [tool.name for tool in (await client.list_tools()).tools]


async def refusal(http, attempt):
    try:
        await attempt
    except Exception as error:  # whatever the SDK makes of it
        return {"status": http.status, "message": str(error)}
    return {"status": 200}


async def steps(client, http, changes, url):
    info = client.server_info
    say("connected", server=info and info.name, version=client.protocol_version, session=http.session)
    say("listed", tools=await names(client))

    await client.call_tool("write_file", {"path": "notes/a.txt", "content": "one\ntwo\n"})
    edit = {"path": "notes/a.txt", "start_line": 2, "end_line": 2, "content": "zwei"}
    await client.call_tool("replace_lines", edit)
    read = await client.call_tool("read_file", {"path": "notes/a.txt", "line_numbers": False})
    blocks = [block.model_dump(mode="json", by_alias=True) for block in read.content]
    say("edited", content=read.structured_content["content"], blocks=blocks)

    say("waiting")
    for _ in range(2):
        await changes.get()
        say("told", tools=await names(client))

    token = await hear()
    if http.session:
        other = Http(token, http.session)
        say("foreign", **await refusal(other, connect_and_list(url, other)))
    else:
        say("foreign")

    calls = 0
    while True:
        calls += 1
        result = await client.call_tool("list_files", {})
        if result.is_error:
            say("capped", calls=calls, fault=json.loads(result.content[0].text))
            break

    await hear()
    say("revoked", **await refusal(http, client.list_tools()))


async def connect_and_list(url, http):
    transport = streamable_http_client(url, http_client=http.client)
    async with Client(transport, mode="legacy") as client:
        await client.list_tools()


async def main(url, mode):
    http = Http(os.environ["QUAYMASTER_TOKEN"])
    changes = asyncio.Queue()

    # A listen stream's notifications come here too.
    async def on_message(message):
        if http.session and isinstance(message, ToolListChangedNotification):
            await changes.put(message)

    async def listen(client):
        async with client.listen(tools_list_changed=True) as events:
            async for event in events:
                if isinstance(event, ToolsListChanged):
                    await changes.put(event)

    transport = streamable_http_client(url, http_client=http.client)
    async with Client(transport, mode=mode, message_handler=on_message) as client:
        if not http.session:
            listening = asyncio.create_task(listen(client))
            listening.add_done_callback(lambda task: task.cancelled() or task.exception())
        await steps(client, http, changes, url)


asyncio.run(main(*sys.argv[1:]))
