"""What can be asked, noun by noun. Every call answers the JSON object that the server sent.

Where an optional argument is None when something is made, it is left out. Where something is
changed, `UNSET` leaves it as it is and None takes it away.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

from .errors import QuaymasterError

if TYPE_CHECKING:
    from .client import QuaymasterClient

Json = dict[str, Any]
# Where a class has a member `list`, that name means the member.
Strings = list[str]
Mode = Literal["TOOLS", "CODE"]
AuthMode = Literal["oauth", "bearer", "oauth_and_bearer"]
Strategy = Literal["fixed", "per_user", "per_user_with_fallback"]
Scope = Literal["ORGANIZATION", "WORKSPACE", "USER"]
CredentialType = Literal["SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH", "OAUTH2", "PLATFORM_OAUTH2"]


class Unset:
    """The type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _new(**fields: Any) -> Json:
    return {_camel(name): value for name, value in fields.items() if value is not None}


def _changed(**fields: Any) -> Json:
    return {_camel(name): value for name, value in fields.items() if value is not UNSET}


class _Resource:
    def __init__(self, client: QuaymasterClient) -> None:
        self._client = client

    def _get(self, *path: str, **query: Any) -> Json:
        named = {_camel(name): value for name, value in query.items()}
        return self._client.request("GET", *path, query=named)

    def _post(self, *path: str, body: Json | None = None) -> Json:
        return self._client.request("POST", *path, body=body)

    def _patch(self, *path: str, body: Json) -> Json:
        return self._client.request("PATCH", *path, body=body)

    def _delete(self, *path: str) -> Json:
        return self._client.request("DELETE", *path)


class Workspaces(_Resource):
    """Workspaces, and the integrations that are switched on in them."""

    def list(self, *, limit: int | None = None, offset: int | None = None) -> Json:
        return self._get("workspaces", limit=limit, offset=offset)

    def create(self, *, name: str, slug: str | None = None) -> Json:
        return self._post("workspaces", body=_new(name=name, slug=slug))

    def get(self, workspace_id: str) -> Json:
        return self._get("workspaces", workspace_id)

    def update(self, workspace_id: str, *, name: str | Unset = UNSET, slug: str | Unset = UNSET) -> Json:
        return self._patch("workspaces", workspace_id, body=_changed(name=name, slug=slug))

    def delete(self, workspace_id: str) -> Json:
        return self._delete("workspaces", workspace_id)

    def list_integrations(self, workspace_id: str) -> Json:
        return self._get("workspaces", workspace_id, "integrations")

    def add_integration(
        self,
        workspace_id: str,
        *,
        integration_name: str,
        alias: str | None = None,
        connection_strategy: Strategy | None = None,
        connection_id: str | None = None,
        auth_method_key: str | None = None,
        display_name: str | None = None,
        enabled_actions: Strings | None = None,
        settings: Json | None = None,
        sort_order: int | None = None,
    ) -> Json:
        body = _new(
            integration_name=integration_name,
            alias=alias,
            connection_strategy=connection_strategy,
            connection_id=connection_id,
            auth_method_key=auth_method_key,
            display_name=display_name,
            enabled_actions=enabled_actions,
            settings=settings,
            sort_order=sort_order,
        )
        return self._post("workspaces", workspace_id, "integrations", body=body)

    def update_integration(
        self,
        workspace_id: str,
        integration_id: str,
        *,
        alias: str | Unset = UNSET,
        connection_strategy: Strategy | Unset = UNSET,
        connection_id: str | None | Unset = UNSET,
        auth_method_key: str | None | Unset = UNSET,
        display_name: str | None | Unset = UNSET,
        enabled_actions: Strings | None | Unset = UNSET,
        settings: Json | None | Unset = UNSET,
        sort_order: int | Unset = UNSET,
    ) -> Json:
        body = _changed(
            alias=alias,
            connection_strategy=connection_strategy,
            connection_id=connection_id,
            auth_method_key=auth_method_key,
            display_name=display_name,
            enabled_actions=enabled_actions,
            settings=settings,
            sort_order=sort_order,
        )
        return self._patch("workspaces", workspace_id, "integrations", integration_id, body=body)

    def remove_integration(self, workspace_id: str, integration_id: str) -> Json:
        return self._delete("workspaces", workspace_id, "integrations", integration_id)


class Connections(_Resource):
    """Connected accounts."""

    def list(self, *, limit: int | None = None, offset: int | None = None) -> Json:
        return self._get("connections", limit=limit, offset=offset)

    def get(self, connection_id: str) -> Json:
        return self._get("connections", connection_id)

    def create(
        self,
        *,
        type: CredentialType,
        integration_name: str,
        external_id: str,
        display_name: str,
        workspace_id: str | None = None,
        end_user_id: str | None = None,
        scope: Scope | None = None,
        auth_method_key: str | None = None,
        secret_text: str | None = None,
        username: str | None = None,
        password: str | None = None,
        props: Json | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        expires_in: int | None = None,
    ) -> Json:
        fields = {name: value for name, value in locals().items() if name != "self"}
        return self._post("connections", body=_new(**fields))

    def delete(self, connection_id: str) -> Json:
        return self._delete("connections", connection_id)

    def resolve(
        self,
        *,
        integration_name: str,
        workspace_id: str,
        external_id: str | None = None,
        auth_method_key: str | None = None,
        end_user_id: str | None = None,
    ) -> Json:
        fields = {name: value for name, value in locals().items() if name != "self"}
        return self._post("connections", "resolve", body=_new(**fields))


class Connect(_Resource):
    """Links by which a person connects an account without one here."""

    def create_token(
        self,
        *,
        integration_name: str,
        connection_name: str,
        external_id: str,
        workspace_id: str,
        workspace_integration_id: str | None = None,
        auth_method_key: str | None = None,
        end_user_id: str | None = None,
        scope: Scope | None = None,
        success_redirect_uri: str | None = None,
        error_redirect_uri: str | None = None,
    ) -> Json:
        fields = {name: value for name, value in locals().items() if name != "self"}
        return self._post("connect", "token", body=_new(**fields))

    def get_session(self, session_id: str) -> Json:
        return self._get("connect", "session", session_id)

    def poll(self, token: str) -> Json:
        return self._post("connect", "session", "poll", body={"token": token})

    def wait(self, token: str, *, timeout: float = 120.0, interval: float = 1.0) -> Json:
        """Asks until the account is connected or the link has failed."""
        end = time.monotonic() + timeout
        while True:
            answer = self.poll(token)
            if answer.get("status") in ("COMPLETED", "FAILED"):
                return answer
            if time.monotonic() + interval > end:
                raise QuaymasterError(
                    "Nobody used the link in time.", code="TIMEOUT", retryable=True
                )
            time.sleep(interval)


class Integrations(_Resource):
    """What can be switched on."""

    def list(self, *, summary: bool | None = None) -> Json:
        return self._get("integrations", summary=summary)

    def get(self, name: str) -> Json:
        return self._get("integrations", name=name)

    def resolve_options(
        self,
        integration_name: str,
        *,
        action_name: str,
        property_name: str,
        workspace_id: str | None = None,
        integration_alias: str | None = None,
        connection_external_id: str | None = None,
        end_user_id: str | None = None,
        input: Json | None = None,
        search_value: str | None = None,
    ) -> Json:
        body = _new(
            action_name=action_name,
            property_name=property_name,
            workspace_id=workspace_id,
            integration_alias=integration_alias,
            connection_external_id=connection_external_id,
            end_user_id=end_user_id,
            input=input,
            search_value=search_value,
        )
        return self._post("integrations", integration_name, "properties", "options", body=body)


class Partials(_Resource):
    """Saved inputs; those in `enforced_keys` are locked, and hidden from agents."""

    def list(
        self,
        workspace_id: str,
        *,
        integration_name: str | None = None,
        integration_alias: str | None = None,
        action_name: str | None = None,
    ) -> Json:
        return self._get(
            "partials",
            workspace_id=workspace_id,
            integration_name=integration_name,
            integration_alias=integration_alias,
            action_name=action_name,
        )

    def get(self, partial_id: str) -> Json:
        return self._get("partials", partial_id)

    def create(
        self,
        workspace_id: str,
        integration_name: str,
        name: str,
        *,
        values: Json | None = None,
        enforced_keys: Strings | None = None,
        integration_alias: str | None = None,
        action_name: str | None = None,
        description: str | None = None,
        is_default: bool | None = None,
    ) -> Json:
        fields = {name: value for name, value in locals().items() if name != "self"}
        return self._post("partials", body=_new(**fields))

    def update(
        self,
        partial_id: str,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        values: Json | Unset = UNSET,
        enforced_keys: Strings | Unset = UNSET,
        is_default: bool | Unset = UNSET,
    ) -> Json:
        body = _changed(
            name=name,
            description=description,
            values=values,
            enforced_keys=enforced_keys,
            is_default=is_default,
        )
        return self._patch("partials", partial_id, body=body)

    def set_default(self, partial_id: str, is_default: bool) -> Json:
        return self._post("partials", partial_id, "set-default", body={"isDefault": is_default})

    def delete(self, partial_id: str) -> Json:
        return self._delete("partials", partial_id)


class EndUsers(_Resource):
    """The persons of your own product."""

    def list(self, workspace_id: str, *, limit: int | None = None, offset: int | None = None) -> Json:
        return self._get("end-users", workspace_id=workspace_id, limit=limit, offset=offset)

    def create(
        self,
        *,
        workspace_id: str,
        external_id: str,
        display_name: str | None = None,
        email: str | None = None,
        metadata: Json | None = None,
    ) -> Json:
        fields = {name: value for name, value in locals().items() if name != "self"}
        return self._post("end-users", body=_new(**fields))

    def get(self, end_user_id: str) -> Json:
        return self._get("end-users", end_user_id)

    def update(
        self,
        end_user_id: str,
        *,
        display_name: str | Unset = UNSET,
        email: str | Unset = UNSET,
        metadata: Json | Unset = UNSET,
    ) -> Json:
        body = _changed(display_name=display_name, email=email, metadata=metadata)
        return self._patch("end-users", end_user_id, body=body)

    def delete(self, end_user_id: str) -> Json:
        return self._delete("end-users", end_user_id)

    def create_connect_token(
        self,
        end_user_id: str,
        *,
        integration_name: str | None = None,
        workspace_integration_id: str | None = None,
        expires_in: int | None = None,
    ) -> Json:
        body = _new(
            integration_name=integration_name,
            workspace_integration_id=workspace_integration_id,
            expires_in=expires_in,
        )
        return self._post("end-users", end_user_id, "connect-token", body=body)


class McpServers(_Resource):
    """Hosted MCP servers, their tools and tokens."""

    def list(
        self,
        *,
        workspace_id: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Json:
        return self._get("mcp", "servers", workspace_id=workspace_id, limit=limit, offset=offset)

    def create(
        self,
        *,
        name: str,
        workspace_id: str,
        mode: Mode | None = None,
        description: str | None = None,
        auth_mode: AuthMode | None = None,
        end_user_id: str | None = None,
        settings: Json | None = None,
    ) -> Json:
        """Answers `server`, `bearerToken` (shown once) and `mcpEndpoint`."""
        fields = {name: value for name, value in locals().items() if name != "self"}
        return self._post("mcp", "servers", body=_new(**fields))

    def get(self, server_id: str) -> Json:
        """Answers `server` and `tools`."""
        return self._get("mcp", "servers", server_id)

    def update(
        self,
        server_id: str,
        *,
        name: str | Unset = UNSET,
        description: str | None | Unset = UNSET,
        mode: Mode | Unset = UNSET,
        auth_mode: AuthMode | Unset = UNSET,
        end_user_id: str | None | Unset = UNSET,
        settings: Json | Unset = UNSET,
    ) -> Json:
        body = _changed(
            name=name,
            description=description,
            mode=mode,
            auth_mode=auth_mode,
            end_user_id=end_user_id,
            settings=settings,
        )
        return self._patch("mcp", "servers", server_id, body=body)

    def delete(self, server_id: str) -> Json:
        return self._delete("mcp", "servers", server_id)

    def regenerate_token(self, server_id: str) -> Json:
        return self._post("mcp", "servers", server_id, "regenerate-token")

    def create_access_token(
        self,
        server_id: str,
        *,
        end_user_id: str,
        scopes: Strings | None = None,
        expires_in: int | None = None,
    ) -> Json:
        body = _new(end_user_id=end_user_id, scopes=scopes, expires_in=expires_in)
        return self._post("mcp", "servers", server_id, "access-tokens", body=body)

    def list_tools(self, server_id: str) -> Json:
        return self._get("mcp", "servers", server_id, "tools")

    def add_tool(
        self,
        server_id: str,
        *,
        integration_name: str,
        action_name: str,
        integration_alias: str | None = None,
        connection_id: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        input_defaults: Json | None = None,
        partial_ids: Strings | None = None,
        sort_order: int | None = None,
    ) -> Json:
        """Answers `tool`."""
        body = _new(
            integration_name=integration_name,
            action_name=action_name,
            integration_alias=integration_alias,
            connection_id=connection_id,
            display_name=display_name,
            description=description,
            input_defaults=input_defaults,
            partial_ids=partial_ids,
            sort_order=sort_order,
        )
        return self._post("mcp", "servers", server_id, "tools", body=body)

    def update_tool(
        self,
        server_id: str,
        tool_id: str,
        *,
        integration_alias: str | Unset = UNSET,
        connection_id: str | None | Unset = UNSET,
        display_name: str | Unset = UNSET,
        description: str | None | Unset = UNSET,
        input_defaults: Json | Unset = UNSET,
        partial_ids: Strings | Unset = UNSET,
        sort_order: int | Unset = UNSET,
    ) -> Json:
        body = _changed(
            integration_alias=integration_alias,
            connection_id=connection_id,
            display_name=display_name,
            description=description,
            input_defaults=input_defaults,
            partial_ids=partial_ids,
            sort_order=sort_order,
        )
        return self._patch("mcp", "servers", server_id, "tools", tool_id, body=body)

    def delete_tool(self, server_id: str, tool_id: str) -> Json:
        return self._delete("mcp", "servers", server_id, "tools", tool_id)

    def execute_code(self, server_id: str, code: str) -> Json:
        return self._post("mcp", "servers", server_id, "execute-code", body={"code": code})

    def get_declarations(self, server_id: str, alias: str) -> Json:
        return self._get("mcp", "servers", server_id, "declarations", alias)


class Actions(_Resource):
    def execute(
        self,
        integration_name: str,
        action_name: str,
        *,
        workspace_id: str,
        input: Json | None = None,
        connection_external_id: str | None = None,
        integration_alias: str | None = None,
        end_user_id: str | None = None,
        partial_ids: Strings | None = None,
    ) -> Json:
        """Runs one action. Answers `success`, `output` and `duration` in milliseconds."""
        fields = {name: value for name, value in locals().items() if name != "self"}
        return self._post("actions", "execute", body=_new(**fields))


class ApiKeys(_Resource):
    def list(self) -> Json:
        return self._get("api-keys")

    def create(
        self,
        *,
        name: str,
        scopes: Strings | None = None,
        expires_at: str | None = None,
    ) -> Json:
        """Answers `apiKey` and `plainKey`, which is shown once."""
        return self._post("api-keys", body=_new(name=name, scopes=scopes, expires_at=expires_at))

    def delete(self, key_id: str) -> Json:
        return self._delete("api-keys", key_id)
