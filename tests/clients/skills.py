"""The Python SDK looks for skills: `skills.py URL legacy|VERSION`, with the token in QUAYMASTER_TOKEN."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


def say(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


async def main(url, mode):
    headers = {"Authorization": f"Bearer {os.environ['QUAYMASTER_TOKEN']}"}
    http = httpx2.AsyncClient(headers=headers, timeout=60)
    transport = streamable_http_client(url, http_client=http)
    async with Client(transport, mode=mode) as client:
        listed = (await client.list_resources()).resources
        say("listed", uris=[str(resource.uri) for resource in listed])
        read = await client.read_resource(listed[0].uri)
        say("read", text=read.contents[0].text)


asyncio.run(main(*sys.argv[1:]))
