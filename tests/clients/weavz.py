"""The hosted product's public SDK, with nothing but its base URL and key changed.

`QUAYMASTER_KEY` and `QUAYMASTER_URL` are in the environment. Calls the tool that it made over MCP
between the steps, by plain requests.
"""

import json
import os

import httpx
from weavz_sdk import WeavzClient, WeavzError

client = WeavzClient(api_key=os.environ["QUAYMASTER_KEY"], base_url=os.environ["QUAYMASTER_URL"])


def call(endpoint, token, method, params):
    """One request of the version without sessions."""
    params["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "weavz", "version": "1.0"},
    }
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": "2026-07-28",
        "Mcp-Method": method,
    }
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(endpoint, headers=headers, json=message, timeout=60)
    if answer.status_code != 200:
        return {"status": answer.status_code}
    lines = [line[5:] for line in answer.text.splitlines() if line.startswith("data:")]
    return json.loads(lines[-1] if lines else answer.text)["result"]


def code_of(attempt):
    try:
        attempt()
    except WeavzError as error:
        return [error.code, error.status, bool(str(error))]
    return None


workspace = client.workspaces.create(name="Customer", slug="customer")["workspace"]
at = workspace["id"]
assert client.workspaces.list(include_suspended=False, limit=50)["total"] == 2
assert client.workspaces.get(at)["workspace"]["slug"] == "customer"
client.workspaces.update(at, name="The customer")
slugs = [
    code_of(lambda: client.workspaces.create(name="Other", slug="customer")),
    code_of(lambda: client.workspaces.create(name="Other", slug="Not A Slug")),
]
connection = client.connections.create(
    type="SECRET_TEXT",
    external_id="team-chat",
    display_name="Team chat",
    integration_name="slack",
    workspace_id=at,
    scope="WORKSPACE",
    secret_text="xoxb-team",
)["connection"]
assert client.connections.get(connection["id"])["connection"]["externalId"] == "team-chat"
found = client.connections.resolve(
    integration_name="slack", workspace_id=at, external_id="team-chat"
)["connection"]
assert found["id"] == connection["id"]
assert client.connections.list(limit=10)["total"] == 1

integration = client.workspaces.add_integration(
    at,
    integration_name="slack",
    integration_alias="chat",
    connection_strategy="fixed",
    connection_id=connection["id"],
    settings={},
)["integration"]
client.workspaces.update_integration(at, integration["id"], display_name="Chat", sort_order=2)
assert client.workspaces.list_integrations(at)["total"] == 1
again = code_of(
    lambda: client.workspaces.add_integration(
        at,
        integration_name="slack",
        integration_alias="chat",
        connection_strategy="fixed",
        connection_id=connection["id"],
    )
)
assert "send_channel_message" in client.integrations.get("slack")["integration"]["actions"]
assert client.integrations.list_summary()["total"] > 10
options = client.integrations.resolve_options(
    "slack",
    property_name="channel",
    action_name="send_channel_message",
    workspace_id=at,
    integration_alias="chat",
)["options"]
assert options[0]["value"] == "C1", options

partial = client.partials.create(
    at,
    "slack",
    "only general",
    action_name="send_channel_message",
    integration_alias="chat",
    values={"channel": "C1"},
    enforced_keys=["channel"],
)["partial"]
client.partials.update(partial["id"], description="Nowhere else")
client.partials.set_default(partial["id"], True)
assert client.partials.list(at, integration_alias="chat")["total"] == 1
assert client.partials.list(at, trigger_name="none")["total"] == 0

end_user = client.end_users.create(
    workspace_id=at, external_id="user_123", display_name="Anna", email="anna@example.com"
)["endUser"]
client.end_users.update(end_user["id"], metadata={"plan": "free"})
assert client.end_users.list(at, limit=5)["total"] == 1
assert client.end_users.get(end_user["id"])["connections"] == []
link = client.end_users.create_connect_token(end_user["id"], integration_name="slack")
assert client.connect.poll(link["token"])["status"] == "PENDING"
twice = code_of(lambda: client.end_users.create(workspace_id=at, external_id="user_123"))

made = client.mcp_servers.create(
    name="My AI Tools", workspace_id=at, mode="TOOLS", description="For the customer"
)
server, token, endpoint = made["server"], made["bearerToken"], made["mcpEndpoint"]
assert client.mcp_servers.list(workspace_id=at, include_suspended=False)["total"] == 1
tool = client.mcp_servers.add_tool(
    server["id"],
    integration_name="slack",
    action_name="send_channel_message",
    integration_alias="chat",
    tool_type="ACTION",
    partial_ids=[partial["id"]],
)["tool"]
unknown = code_of(
    lambda: client.mcp_servers.add_tool(
        server["id"], integration_name="slak", action_name="send_channel_message"
    )
)
bad_alias = code_of(
    lambda: client.mcp_servers.add_tool(
        server["id"],
        integration_name="slack",
        action_name="list_users",
        integration_alias="Not an alias",
        connection_id=connection["id"],
    )
)
listed = call(endpoint, token, "tools/list", {})["tools"]
sent = call(
    endpoint,
    token,
    "tools/call",
    {"name": "chat__send_channel_message", "arguments": {"text": "Hello"}},
)
client.mcp_servers.update_tool(server["id"], tool["id"], description=None, connection_id=None)
renamed = client.mcp_servers.update(server["id"], name="Renamed", description=None)["server"]
rotated = client.mcp_servers.regenerate_token(server["id"])["bearerToken"]
old = call(endpoint, token, "tools/list", {})
new = call(endpoint, rotated, "tools/list", {})["tools"]
access = client.mcp_servers.create_access_token(server["id"], end_user_id="user_123")
client.mcp_servers.create_oauth_token(server["id"], end_user_id="user_123", expires_in=600)
theirs = call(endpoint, access["bearerToken"], "tools/list", {})["tools"]
declarations = client.mcp_servers.get_declarations(server["id"], "chat")["declarations"]
executed = client.actions.execute(
    "slack",
    "send_channel_message",
    workspace_id=at,
    integration_alias="chat",
    input={"text": "Hello"},
    idempotency_key="once",
)
later = [code_of(client.approvals.list), code_of(client.triggers.list)]
key = client.api_keys.create(name="Second", scope="org")
assert client.api_keys.list()["total"] >= 2
client.api_keys.delete(key["apiKey"]["id"])
with WeavzClient(api_key=key["plainKey"], base_url=os.environ["QUAYMASTER_URL"]) as revoked:
    dead = code_of(revoked.workspaces.list)

client.mcp_servers.delete_tool(server["id"], tool["id"])
assert client.mcp_servers.get(server["id"])["tools"] == []
deleted = client.mcp_servers.delete(server["id"])
gone = code_of(lambda: client.mcp_servers.get(server["id"]))
client.partials.delete(partial["id"])
client.workspaces.remove_integration(at, integration["id"])
client.end_users.delete(end_user["id"])
client.connections.delete(connection["id"])
client.workspaces.delete(at)

print(
    json.dumps(
        {
            "slugs": slugs,
            "again": again,
            "twice": twice,
            "unknown": unknown,
            "bad_alias": bad_alias,
            "listed": [one["name"] for one in listed],
            "sent": sent["structuredContent"],
            "renamed": renamed,
            "old": old,
            "new": [one["name"] for one in new],
            "theirs": [one["name"] for one in theirs],
            "declarations": declarations,
            "executed": executed,
            "later": later,
            "dead": dead,
            "deleted": deleted["deleted"],
            "gone": gone,
        }
    )
)
