"""The calls of a Python developer with the package quaymaster and with plain httpx.

The environment and the answer are those of seed.mjs.
"""

import json
import os

import httpx
from quaymaster import QuaymasterClient, QuaymasterError

api_key = os.environ["QUAYMASTER_KEY"]
ids = json.loads(os.environ["IDS"])
client = QuaymasterClient(api_key=api_key)

result = client.mcp_servers.create(
    name="My AI Tools",
    workspace_id=ids["workspace"],
    mode="TOOLS",
)
server = result["server"]
bearer_token = result["bearerToken"]
mcp_endpoint = result["mcpEndpoint"]
result = client.mcp_servers.add_tool(
    server["id"],
    integration_name="slack",
    action_name="send_channel_message",
    connection_id=ids["connection"],
)
tool = result["tool"]
result = client.mcp_servers.add_tool(
    server["id"],
    integration_name="slack",
    integration_alias="slack_bot",
    action_name="send_channel_message",
    connection_id=ids["bot"],
    partial_ids=ids["partials"],
)
bot = result["tool"]
result = client.mcp_servers.get(server["id"])
before = result["tools"]
client.mcp_servers.delete_tool(server["id"], tool["id"])
after = client.mcp_servers.get(server["id"])["tools"]
result = client.mcp_servers.create(
    name="User Agent",
    workspace_id=ids["workspace"],
    end_user_id="user_123",
    mode="TOOLS",
)
personal = result["server"]


def failure(call):
    try:
        call()
    except QuaymasterError as error:
        return error
    raise AssertionError("it did not fail")


fault = failure(lambda: client.mcp_servers.get("srv_01kahwz8x4m2q7r9s3t5v6w7y8"))
with QuaymasterClient(api_key=api_key, base_url="http://127.0.0.1:1") as gone:
    silent = failure(gone.workspaces.list)

res = httpx.post(
    f"{os.environ['QUAYMASTER_URL']}/api/v1/mcp/servers",
    headers={"Authorization": f"Bearer {api_key}"},
    json={
        "name": "My AI Tools",
        "workspaceId": ids["workspace"],
        "mode": "TOOLS",
    },
)
data = res.json()

print(
    json.dumps(
        {
            "server": server,
            "bearerToken": bearer_token,
            "mcpEndpoint": mcp_endpoint,
            "tool": tool,
            "bot": bot,
            "before": [one["name"] for one in before],
            "after": [one["name"] for one in after],
            "personal": personal,
            "fault": {
                "is": True,
                "code": fault.code,
                "message": str(fault),
                "status": fault.status,
                "retryable": fault.retryable,
                "hint": fault.hint,
            },
            "silent": {"code": silent.code, "retryable": silent.retryable},
            "plain": data,
        }
    )
)
