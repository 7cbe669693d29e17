"""The calls of a Python developer with the package quaymaster.

The environment and the answer are those of seed.mts.
"""

import json
import os
from collections.abc import Callable

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
added = client.mcp_servers.add_tool(
    server["id"],
    integration_name="slack",
    action_name="send_channel_message",
    connection_id=ids["connection"],
)
tool = added["tool"]
added = client.mcp_servers.add_tool(
    server["id"],
    integration_name="slack",
    integration_alias="slack_bot",
    action_name="send_channel_message",
    connection_id=ids["bot"],
)
bot = added["tool"]
before = client.mcp_servers.get(server["id"])["tools"]
client.mcp_servers.delete_tool(server["id"], tool["id"])
after = client.mcp_servers.get(server["id"])["tools"]
added = client.mcp_servers.add_tool(
    server["id"],
    integration_name="slack",
    action_name="send_channel_message",
    connection_id=ids["connection"],
    partial_ids=[ids["partials"][0], ids["partials"][1]],
)
locked = added["tool"]
result = client.mcp_servers.create(
    name="User Agent",
    workspace_id=ids["workspace"],
    end_user_id="user_123",
    mode="TOOLS",
)
personal = result["server"]


def failure(call: Callable[[], object]) -> QuaymasterError:
    try:
        call()
    except QuaymasterError as error:
        return error
    raise AssertionError("it did not fail")


fault = failure(lambda: client.mcp_servers.get("srv_01kahwz8x4m2q7r9s3t5v6w7y8"))
with QuaymasterClient(api_key=api_key, base_url="http://127.0.0.1:1") as gone:
    silent = failure(gone.workspaces.list)

print(
    json.dumps(
        {
            "server": server,
            "bearerToken": bearer_token,
            "mcpEndpoint": mcp_endpoint,
            "tool": tool,
            "bot": bot,
            "locked": locked,
            "before": [one["name"] for one in before],
            "after": [one["name"] for one in after],
            "personal": personal,
            "fault": {
                "code": fault.code,
                "message": str(fault),
                "status": fault.status,
                "retryable": fault.retryable,
                "hint": fault.hint,
            },
            "silent": {"code": silent.code, "retryable": silent.retryable},
        }
    )
)
