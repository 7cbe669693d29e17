"""The calls of a Python developer with plain httpx, as plain.mjs has them with fetch."""

import json
import os

import httpx

url = os.environ["QUAYMASTER_URL"]
key = os.environ["QUAYMASTER_KEY"]
ids = json.loads(os.environ["IDS"])


def create():
    res = httpx.post(
        f"{url}/api/v1/mcp/servers",
        headers={"Authorization": f"Bearer {key}"},
        json={
            "name": "My AI Tools",
            "workspaceId": ids["workspace"],
            "mode": "TOOLS",
        },
    )
    data = res.json()
    return data


def add_tool(server):
    res = httpx.post(
        f"{url}/api/v1/mcp/servers/{server}/tools",
        headers={"Authorization": f"Bearer {key}"},
        json={
            "integrationName": "slack",
            "actionName": "send_channel_message",
            "connectionId": ids["connection"],
        },
    )
    data = res.json()
    return data


def add_tool_with_alias(server):
    res = httpx.post(
        f"{url}/api/v1/mcp/servers/{server}/tools",
        headers={"Authorization": f"Bearer {key}"},
        json={
            "integrationName": "slack",
            "integrationAlias": "slack_bot",
            "actionName": "send_channel_message",
            "connectionId": ids["bot"],
        },
    )
    data = res.json()
    return data


def add_tool_with_partials(server):
    res = httpx.post(
        f"{url}/api/v1/mcp/servers/{server}/tools",
        headers={"Authorization": f"Bearer {key}"},
        json={
            "integrationName": "slack",
            "actionName": "send_channel_message",
            "connectionId": ids["connection"],
            "partialIds": [ids["partials"][0], ids["partials"][1]],
        },
    )
    data = res.json()
    return data


def get(server):
    res = httpx.get(
        f"{url}/api/v1/mcp/servers/{server}",
        headers={"Authorization": f"Bearer {key}"},
    )
    data = res.json()
    return data


def delete_tool(server, tool):
    res = httpx.delete(
        f"{url}/api/v1/mcp/servers/{server}/tools/{tool}",
        headers={"Authorization": f"Bearer {key}"},
    )
    data = res.json()
    return data


def create_for_end_user():
    res = httpx.post(
        f"{url}/api/v1/mcp/servers",
        headers={"Authorization": f"Bearer {key}"},
        json={
            "name": "User Agent",
            "workspaceId": ids["workspace"],
            "endUserId": "user_123",
            "mode": "TOOLS",
        },
    )
    data = res.json()
    return data


made = create()
tool = add_tool(made["id"])["tool"]
bot = add_tool_with_alias(made["id"])["tool"]
before = get(made["id"])
deleted = delete_tool(made["id"], tool["id"])
after = get(made["id"])
locked = add_tool_with_partials(made["id"])["tool"]
personal = create_for_end_user()["server"]
print(
    json.dumps(
        {
            "server": made["server"],
            "bearerToken": made["bearerToken"],
            "mcpEndpoint": made["mcpEndpoint"],
            "tool": tool,
            "bot": bot,
            "locked": locked,
            "before": [one["name"] for one in before["tools"]],
            "deleted": deleted,
            "after": [one["name"] for one in after["tools"]],
            "personal": personal,
        }
    )
)
