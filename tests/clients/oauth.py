"""Signing in with the Python SDK: `oauth.py URL [CLIENT-ID-DOCUMENT]`.

Without the address of a client ID metadata document it registers. The steps are those of
oauth.mjs.
"""

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs, urlsplit

from mcp import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata


def say(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


async def hear():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


class Memory(TokenStorage):
    def __init__(self):
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Callback:
    """The place that browsers come back to."""

    def __init__(self):
        self.visits = asyncio.Queue()

    async def listen(self):
        server = await asyncio.start_server(self.visited, "127.0.0.1", 0)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"

    async def visited(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        query = parse_qs(urlsplit(head.split(" ")[1]).query)
        await self.visits.put({name: values[0] for name, values in query.items()})

    async def next(self):
        answer = await self.visits.get()
        return AuthorizationCodeResult(
            code=answer["code"], state=answer.get("state"), iss=answer.get("iss")
        )


async def show(url):
    say("authorize", url=url)


async def names(client):
    return [tool.name for tool in (await client.list_tools()).tools]


async def main(url, document=None):
    callback, memory = Callback(), Memory()
    metadata = OAuthClientMetadata(
        client_name="oauth.py",
        redirect_uris=[await callback.listen()],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
    )
    auth = OAuthClientProvider(
        server_url=url,
        client_metadata=metadata,
        storage=memory,
        redirect_handler=show,
        callback_handler=callback.next,
        client_metadata_url=document,
    )
    began = time.monotonic()
    async with create_mcp_http_client(auth=auth) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            tools = await names(client)
            say("listed", tools=tools, ms=round((time.monotonic() - began) * 1000))

            await client.call_tool("write_file", {"path": "notes/a.txt", "content": "one\ntwo\n"})
            edit = {"path": "notes/a.txt", "start_line": 2, "end_line": 2, "content": "zwei"}
            await client.call_tool("replace_lines", edit)
            read = await client.call_tool("read_file", {"path": "notes/a.txt", "line_numbers": False})
            say("edited", content=read.structured_content["content"])

            # This SDK refreshes by the clock, and asks the person on a 401.
            first = memory.tokens.access_token
            auth.context.token_expiry_time = time.time() - 1
            await client.call_tool("list_files", {})
            say("refreshed", anew=memory.tokens.access_token != first)

            await hear()
            say("again", tools=await names(client))


asyncio.run(main(*sys.argv[1:]))
