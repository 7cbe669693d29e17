"""What else the package quaymaster has, call by call, as a backend would use it.

The environment and the answer are those of management.mts. mypy checks this file, too.
"""

import json
import os
from collections.abc import Callable

from quaymaster import QuaymasterClient, QuaymasterError

ids = json.loads(os.environ["IDS"])
client = QuaymasterClient(os.environ["QUAYMASTER_KEY"])
at: str = ids["workspace"]


def code(call: Callable[[], object]) -> list[str | int]:
    try:
        call()
    except QuaymasterError as error:
        return [error.code, error.status]
    raise AssertionError("it did not fail")


connection = client.connections.resolve(
    integration_name="slack", workspace_id=at, external_id="main"
)["connection"]
listed = client.connections.list(limit=10)
verified = client.connections.verify(connection["id"])
renamed = client.connections.rename(connection["id"], name="renamed")

found = client.integrations.get("slack")["integration"]
assert found is not None
sign_in = client.integrations.oauth_status()
options = client.integrations.resolve_options(
    "slack",
    action_name="send_channel_message",
    property_name="channel",
    workspace_id=at,
    connection_external_id="main",
)["options"]
fixed = code(
    lambda: client.integrations.resolve_property(
        "slack", action_name="send_channel_message", property_name="channel", workspace_id=at
    )
)
connector = client.connectors.get("slack")["connector"]

integration = client.workspaces.add_integration(
    at, integration_name="slack", connection_strategy="per_user"
)["integration"]
end_user = client.end_users.create(workspace_id=at, external_id="anna")["endUser"]
told = client.end_users.update(end_user["id"], display_name="Anna", metadata={})["endUser"]
mailed = code(lambda: client.end_users.invite(end_user["id"], email="anna@example.com"))
link = client.end_users.create_connect_token(end_user["id"], integration_name="slack")
polled = client.connect.poll(link["token"])
waited = code(lambda: client.connect.wait(link["token"], timeout=0.001, interval=0.002))
token = client.connect.create_token(
    integration_name="slack", connection_name="Theirs", external_id="theirs", workspace_id=at
)
# `cse_...`, where the token is `cst_....` and more.
session_id = token["token"].replace("cst_", "cse_").split(".")[0]
session = client.connect.get_session(session_id)["session"]

server = client.mcp_servers.create(name="Tools", workspace_id=at)["server"]
client.mcp_servers.update(server["id"], description=None)
made = client.mcp_servers.create_oauth_token(server["id"], end_user_id="anna")
bearer = client.mcp_servers.create_access_token(server["id"], end_user_id=end_user["id"])
names: list[str] = [one["name"] for one in client.mcp_servers.list_tools(server["id"])["tools"]]
ran = code(lambda: client.mcp_servers.execute_code(server["id"], "return 1"))

partial = client.partials.create(
    workspace_id=at, integration_name="slack", name="words", values={"text": "Saved"}
)["partial"]
usual = client.partials.set_default(partial["id"], True)["partial"]
executed = client.actions.execute(
    integration_name="slack",
    action_name="send_channel_message",
    workspace_id=at,
    connection_external_id="main",
    input={"channel": "C1"},
)

second = client.api_keys.create(name="Second")
later = client.api_keys.regenerate(second["apiKey"]["id"])
client.api_keys.delete(later["apiKey"]["id"])
dead = code(QuaymasterClient(later["plainKey"]).workspaces.list)

operator = QuaymasterClient(service_key=os.environ["SERVICE_KEY"])
org = operator.orgs.create(name="Second organization")["org"]
inside = QuaymasterClient(service_key=os.environ["SERVICE_KEY"], org_id=org["id"])
theirs = QuaymasterClient(inside.api_keys.create(name="First")["plainKey"]).workspaces.list()

raw = client.request("GET", "workspaces", query={"limit": 1})


def refused() -> None:
    """What the types refuse. It is not called."""
    client.mcp_servers.create(name="a", workspace_id="b", workspace="c")  # type: ignore[call-arg]
    client.mcp_servers.add_tool("a", integration_name="slack")  # type: ignore[call-arg]
    client.mcp_servers.create(name="a", workspace_id="b", mode="BOTH")  # type: ignore[arg-type]
    client.mcp_servers.get("a")["token"]  # type: ignore[typeddict-item]


print(
    json.dumps(
        {
            "resolved": connection["externalId"],
            "listed": listed["total"],
            "verified": verified["connection"]["status"],
            "renamed": renamed["connection"]["name"],
            "found": found["name"],
            "connector": connector["key"],
            "signIn": sign_in["configured"],
            "options": [option["value"] for option in options],
            "fixed": fixed,
            "strategy": integration["connectionStrategy"],
            "told": told["displayName"],
            "mailed": mailed,
            "polled": polled["status"],
            "waited": waited,
            "token": token["connectUrl"],
            "session": session["status"],
            "oauth": made["token"]["endUserId"],
            "bearer": bearer["token"]["endUserId"],
            "endUser": end_user["id"],
            "first": names[0],
            "ran": ran,
            "usual": usual["isDefault"],
            "executed": executed["output"],
            "dead": dead,
            "theirs": theirs["total"],
            "raw": raw["total"],
        }
    )
)
