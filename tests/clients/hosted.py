"""The Python SDK at a hosted server: `hosted.py legacy|auto TOOL ARGUMENTS URL`.

The steps are those of hosted.mjs.
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


async def main(mode, tool, arguments, url):
    headers = {"Authorization": f"Bearer {os.environ['QUAYMASTER_TOKEN']}"}
    changes = asyncio.Queue()

    async def on_message(message):
        if mode == "legacy" and isinstance(message, ToolListChangedNotification):
            await changes.put(message)

    async def listen(client):
        async with client.listen(tools_list_changed=True) as events:
            async for event in events:
                if isinstance(event, ToolsListChanged):
                    await changes.put(event)

    async def names():
        return [tool.name for tool in (await client.list_tools()).tools]

    http = httpx2.AsyncClient(headers=headers, timeout=60)
    transport = streamable_http_client(url, http_client=http)
    async with Client(transport, mode=mode, message_handler=on_message) as client:
        if mode != "legacy":
            listening = asyncio.create_task(listen(client))
            listening.add_done_callback(lambda task: task.cancelled() or task.exception())
        info = client.server_info
        say("listed", server=info and info.name, tools=await names())
        result = await client.call_tool(tool, json.loads(arguments))
        say("called", isError=result.is_error, answer=result.structured_content)
        await changes.get()
        say("told", tools=await names())


asyncio.run(main(*sys.argv[1:]))
