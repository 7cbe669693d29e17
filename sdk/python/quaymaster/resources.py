"""What can be asked, noun by noun. Every call answers the JSON object that the server sent.

Written by `cargo xtask sdk` from docs/openapi.json; not to be changed by hand.
"""

from __future__ import annotations

import builtins

from . import types as t
from .base import UNSET, Resource, Send, Unset, changed, made


class Workspaces(Resource):
    """Workspaces, and the integrations that are switched on in them."""

    def list(
        self,
        *,
        include_suspended: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> t.WorkspaceList:
        """Lists workspaces."""
        return self._ask(
            t.WorkspaceList,
            "GET",
            ("workspaces",),
            query=made({
                "includeSuspended": include_suspended,
                "limit": limit,
                "offset": offset,
            }),
        )

    def create(self, *, name: str, slug: str | None = None) -> t.MadeWorkspace:
        """Makes a workspace."""
        return self._ask(
            t.MadeWorkspace,
            "POST",
            ("workspaces",),
            body=made({
                "name": name,
                "slug": slug,
            }),
        )

    def get(self, workspace_id: str, /) -> t.OneWorkspace:
        """Reads a workspace."""
        return self._ask(t.OneWorkspace, "GET", ("workspaces", workspace_id))

    def update(
        self,
        workspace_id: str,
        /,
        *,
        name: str | None | Unset = UNSET,
        slug: str | None | Unset = UNSET,
        daily_cap: int | None | Unset = UNSET,
        quota_bytes: int | None | Unset = UNSET,
        require_authentication: bool | None | Unset = UNSET,
    ) -> t.OneWorkspace:
        """Changes a workspace."""
        return self._ask(
            t.OneWorkspace,
            "PATCH",
            ("workspaces", workspace_id),
            body=changed({
                "name": name,
                "slug": slug,
                "dailyCap": daily_cap,
                "quotaBytes": quota_bytes,
                "requireAuthentication": require_authentication,
            }),
        )

    def delete(self, workspace_id: str, /) -> t.DeletedWorkspace:
        """Deletes a workspace."""
        return self._ask(t.DeletedWorkspace, "DELETE", ("workspaces", workspace_id))

    def list_integrations(self, workspace_id: str, /) -> t.IntegrationList:
        """Lists the integrations of a workspace."""
        return self._ask(t.IntegrationList, "GET", ("workspaces", workspace_id, "integrations"))

    def add_integration(
        self,
        workspace_id: str,
        /,
        *,
        integration_name: str,
        alias: str | None = None,
        connection_strategy: t.ConnectionStrategy | None = None,
        auth_method_key: str | None = None,
        connection_id: str | None = None,
        display_name: str | None = None,
        enabled_actions: builtins.list[str] | None = None,
        settings: t.Json | None = None,
        sort_order: int | None = None,
        oauth_app_mode: str | None = None,
        oauth_app_id: str | None = None,
    ) -> t.OneIntegration:
        """Switches a connector on in a workspace."""
        return self._ask(
            t.OneIntegration,
            "POST",
            ("workspaces", workspace_id, "integrations"),
            body=made({
                "integrationName": integration_name,
                "alias": alias,
                "connectionStrategy": connection_strategy,
                "authMethodKey": auth_method_key,
                "connectionId": connection_id,
                "displayName": display_name,
                "enabledActions": enabled_actions,
                "settings": settings,
                "sortOrder": sort_order,
                "oauthAppMode": oauth_app_mode,
                "oauthAppId": oauth_app_id,
            }),
        )

    def update_integration(
        self,
        workspace_id: str,
        integration: str,
        /,
        *,
        alias: str | None | Unset = UNSET,
        connection_strategy: t.ConnectionStrategy | None | Unset = UNSET,
        auth_method_key: str | None | Unset = UNSET,
        connection_id: str | None | Unset = UNSET,
        display_name: str | None | Unset = UNSET,
        enabled_actions: builtins.list[str] | None | Unset = UNSET,
        settings: t.Json | None | Unset = UNSET,
        sort_order: int | None | Unset = UNSET,
        oauth_app_mode: str | None | Unset = UNSET,
        oauth_app_id: str | None | Unset = UNSET,
    ) -> t.OneIntegration:
        """Changes an integration."""
        return self._ask(
            t.OneIntegration,
            "PATCH",
            ("workspaces", workspace_id, "integrations", integration),
            body=changed({
                "alias": alias,
                "connectionStrategy": connection_strategy,
                "authMethodKey": auth_method_key,
                "connectionId": connection_id,
                "displayName": display_name,
                "enabledActions": enabled_actions,
                "settings": settings,
                "sortOrder": sort_order,
                "oauthAppMode": oauth_app_mode,
                "oauthAppId": oauth_app_id,
            }),
        )

    def remove_integration(self, workspace_id: str, integration: str, /) -> t.RemovedIntegration:
        """Switches a connector off in a workspace."""
        return self._ask(
            t.RemovedIntegration,
            "DELETE",
            ("workspaces", workspace_id, "integrations", integration),
        )


class Connectors(Resource):
    """Outside services, the organization's own ones, and the apps by which accounts sign in."""

    def list(
        self,
        *,
        query: str | None = None,
        category: str | None = None,
        connected: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> t.ConnectorList:
        """Lists connectors."""
        return self._ask(
            t.ConnectorList,
            "GET",
            ("connectors",),
            query=made({
                "query": query,
                "category": category,
                "connected": connected,
                "limit": limit,
                "offset": offset,
            }),
        )

    def get(self, key: str, /) -> t.OneConnector:
        """Reads a connector."""
        return self._ask(t.OneConnector, "GET", ("connectors", key))

    def get_module(self, key: str, module: str, /) -> t.OneModule:
        """Reads a module of a connector."""
        return self._ask(t.OneModule, "GET", ("connectors", key, "modules", module))

    def get_oauth_app(self, key: str, /) -> t.OneOAuthApp:
        """Reads the app of a connector."""
        return self._ask(t.OneOAuthApp, "GET", ("connectors", key, "oauth-app"))

    def set_oauth_app(
        self,
        key: str,
        /,
        *,
        client_id: str,
        client_secret: str | None = None,
    ) -> t.OneOAuthApp:
        """Sets the app of a connector."""
        return self._ask(
            t.OneOAuthApp,
            "PUT",
            ("connectors", key, "oauth-app"),
            body=made({
                "clientId": client_id,
                "clientSecret": client_secret,
            }),
        )

    def remove_oauth_app(self, key: str, /) -> t.RemovedOAuthApp:
        """Removes the app of a connector."""
        return self._ask(t.RemovedOAuthApp, "DELETE", ("connectors", key, "oauth-app"))

    def list_own(self, *, limit: int | None = None, offset: int | None = None) -> t.OwnList:
        """Lists the organization's own connectors."""
        return self._ask(
            t.OwnList,
            "GET",
            ("connectors", "own"),
            query=made({
                "limit": limit,
                "offset": offset,
            }),
        )

    def add_own(self, *, source: str) -> t.OneOwn:
        """Adds a connector of the organization's own."""
        return self._ask(
            t.OneOwn,
            "POST",
            ("connectors", "own"),
            body=made({
                "source": source,
            }),
        )

    def get_own(self, key: str, /) -> t.OwnInFull:
        """Reads a connector of the organization's own."""
        return self._ask(t.OwnInFull, "GET", ("connectors", "own", key))

    def replace_own(self, key: str, /, *, source: str) -> t.ReplacedOwn:
        """Replaces the definition of a connector of the organization's own."""
        return self._ask(
            t.ReplacedOwn,
            "PUT",
            ("connectors", "own", key),
            body=made({
                "source": source,
            }),
        )

    def delete_own(self, key: str, /, *, with_accounts: bool | None = None) -> t.DeletedOwn:
        """Deletes a connector of the organization's own."""
        return self._ask(
            t.DeletedOwn,
            "DELETE",
            ("connectors", "own", key),
            query=made({
                "withAccounts": with_accounts,
            }),
        )

    def check_own(self, *, source: str, replacing: str | None = None) -> t.CheckedDefinition:
        """Checks a definition without saving it."""
        return self._ask(
            t.CheckedDefinition,
            "POST",
            ("connectors", "own", "check"),
            body=made({
                "source": source,
                "replacing": replacing,
            }),
        )

    def import_own(
        self,
        *,
        document: str | None = None,
        document_base64: str | None = None,
        name: str | None = None,
        key: str | None = None,
        title: str | None = None,
        base_url: str | None = None,
        only: builtins.list[str] | None = None,
        save: bool | None = None,
    ) -> t.ImportedDefinition:
        """Imports a definition from an API's own document."""
        return self._ask(
            t.ImportedDefinition,
            "POST",
            ("connectors", "own", "import"),
            body=made({
                "document": document,
                "documentBase64": document_base64,
                "name": name,
                "key": key,
                "title": title,
                "baseUrl": base_url,
                "only": only,
                "save": save,
            }),
        )


class Connections(Resource):
    """Connected accounts."""

    def list(
        self,
        *,
        connector: str | None = None,
        id: str | None = None,
        include_suspended: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> t.ConnectionList:
        """Lists connections."""
        return self._ask(
            t.ConnectionList,
            "GET",
            ("connections",),
            query=made({
                "connector": connector,
                "id": id,
                "includeSuspended": include_suspended,
                "limit": limit,
                "offset": offset,
            }),
        )

    def create(
        self,
        *,
        connector: str | None = None,
        integration_name: str | None = None,
        name: str | None = None,
        auth: str | None = None,
        auth_method_key: str | None = None,
        fields: dict[str, str] | None = None,
        workspace: str | None = None,
        workspace_id: str | None = None,
        is_local: bool | None = None,
        type: t.CredentialType | None = None,
        external_id: str | None = None,
        display_name: str | None = None,
        scope: t.ConnectionScope | None = None,
        end_user_id: str | None = None,
        secret_text: str | None = None,
        username: str | None = None,
        password: str | None = None,
        props: t.Json | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        token_type: str | None = None,
        expires_in: int | None = None,
        scope_oauth: str | None = None,
        data: t.Json | None = None,
        oauth_app_id: str | None = None,
    ) -> t.OneConnection:
        """Connects an account."""
        return self._ask(
            t.OneConnection,
            "POST",
            ("connections",),
            body=made({
                "connector": connector,
                "integrationName": integration_name,
                "name": name,
                "auth": auth,
                "authMethodKey": auth_method_key,
                "fields": fields,
                "workspace": workspace,
                "workspaceId": workspace_id,
                "isLocal": is_local,
                "type": type,
                "externalId": external_id,
                "displayName": display_name,
                "scope": scope,
                "endUserId": end_user_id,
                "secretText": secret_text,
                "username": username,
                "password": password,
                "props": props,
                "accessToken": access_token,
                "refreshToken": refresh_token,
                "tokenType": token_type,
                "expiresIn": expires_in,
                "scope_oauth": scope_oauth,
                "data": data,
                "oauthAppId": oauth_app_id,
            }),
        )

    def get(self, connection_id: str, /) -> t.OneConnection:
        """Reads a connection."""
        return self._ask(t.OneConnection, "GET", ("connections", connection_id))

    def rename(self, connection_id: str, /, *, name: str) -> t.OneConnection:
        """Renames a connection."""
        return self._ask(
            t.OneConnection,
            "PATCH",
            ("connections", connection_id),
            body=changed({
                "name": name,
            }),
        )

    def delete(self, connection_id: str, /) -> t.DisconnectedAccount:
        """Disconnects an account."""
        return self._ask(t.DisconnectedAccount, "DELETE", ("connections", connection_id))

    def resolve(
        self,
        *,
        integration_name: str,
        workspace_id: str,
        external_id: str | None = None,
        auth_method_key: str | None = None,
        end_user_id: str | None = None,
    ) -> t.OneConnection:
        """Finds the connection that a call would use."""
        return self._ask(
            t.OneConnection,
            "POST",
            ("connections", "resolve"),
            body=made({
                "integrationName": integration_name,
                "externalId": external_id,
                "workspaceId": workspace_id,
                "authMethodKey": auth_method_key,
                "endUserId": end_user_id,
            }),
        )

    def verify(self, connection_id: str, /) -> t.OneConnection:
        """Verifies a connection."""
        return self._ask(t.OneConnection, "POST", ("connections", connection_id, "verify"))

    def replace_credentials(
        self,
        connection_id: str,
        /,
        *,
        fields: dict[str, str],
    ) -> t.OneConnection:
        """Replaces the credentials of a connection."""
        return self._ask(
            t.OneConnection,
            "PUT",
            ("connections", connection_id, "credentials"),
            body=made({
                "fields": fields,
            }),
        )

    def list_tools(self, connection_id: str, /) -> t.ConnectionTools:
        """Lists the tools of a connection's MCP server."""
        return self._ask(t.ConnectionTools, "GET", ("connections", connection_id, "tools"))

    def accept_tools(self, connection_id: str, /) -> t.ConnectionTools:
        """Accepts the tools of a connection as they are."""
        return self._ask(
            t.ConnectionTools,
            "POST",
            ("connections", connection_id, "tools", "accept"),
        )


class Connect(Resource):
    """Links by which a person connects an account without one here."""

    def create_token(
        self,
        *,
        integration_name: str,
        connection_name: str,
        external_id: str,
        workspace_id: str,
        end_user_id: str | None = None,
        workspace_integration_id: str | None = None,
        auth_method_key: str | None = None,
        scope: t.ConnectionScope | None = None,
        success_redirect_uri: str | None = None,
        error_redirect_uri: str | None = None,
        oauth_app_mode: str | None = None,
        oauth_app_id: str | None = None,
    ) -> t.LinkView:
        """Asks for a link to connect an account."""
        return self._ask(
            t.LinkView,
            "POST",
            ("connect", "token"),
            body=made({
                "integrationName": integration_name,
                "connectionName": connection_name,
                "externalId": external_id,
                "endUserId": end_user_id,
                "workspaceId": workspace_id,
                "workspaceIntegrationId": workspace_integration_id,
                "authMethodKey": auth_method_key,
                "scope": scope,
                "successRedirectUri": success_redirect_uri,
                "errorRedirectUri": error_redirect_uri,
                "oauthAppMode": oauth_app_mode,
                "oauthAppId": oauth_app_id,
            }),
        )

    def get_session(self, session_id: str, /) -> t.OneSession:
        """Reads a connect session."""
        return self._ask(t.OneSession, "GET", ("connect", "session", session_id))

    def poll(self, token: str) -> t.PolledSession:
        """Tells how far a connect session is."""
        return self._ask(
            t.PolledSession,
            "POST",
            ("connect", "session", "poll"),
            body=made({
                "token": token,
            }),
        )


class Integrations(Resource):
    """What can be switched on."""

    def list(self, *, name: str | None = None, summary: bool | None = None) -> t.MetadataList:
        """Lists what can be switched on."""
        return self._ask(
            t.MetadataList,
            "GET",
            ("integrations",),
            query=made({
                "name": name,
                "summary": summary,
            }),
        )

    def get(self, name: str, *, summary: bool | None = None) -> t.MetadataList:
        """Lists what can be switched on."""
        return self._ask(
            t.MetadataList,
            "GET",
            ("integrations",),
            query=made({
                "name": name,
                "summary": summary,
            }),
        )

    def resolve_options(
        self,
        name: str,
        /,
        *,
        property_name: str,
        action_name: str | None = None,
        trigger_name: str | None = None,
        connection_external_id: str | None = None,
        auth_method_key: str | None = None,
        workspace_id: str | None = None,
        workspace_integration_id: str | None = None,
        integration_alias: str | None = None,
        end_user_id: str | None = None,
        input: t.Json | None = None,
        partial_ids: builtins.list[str] | None = None,
        search_value: str | None = None,
    ) -> t.OptionList:
        """Which values an input can have."""
        return self._ask(
            t.OptionList,
            "POST",
            ("integrations", name, "properties", "options"),
            body=made({
                "actionName": action_name,
                "triggerName": trigger_name,
                "propertyName": property_name,
                "connectionExternalId": connection_external_id,
                "authMethodKey": auth_method_key,
                "workspaceId": workspace_id,
                "workspaceIntegrationId": workspace_integration_id,
                "integrationAlias": integration_alias,
                "endUserId": end_user_id,
                "input": input,
                "partialIds": partial_ids,
                "searchValue": search_value,
            }),
        )

    def resolve_property(
        self,
        name: str,
        /,
        *,
        property_name: str,
        action_name: str | None = None,
        trigger_name: str | None = None,
        connection_external_id: str | None = None,
        auth_method_key: str | None = None,
        workspace_id: str | None = None,
        workspace_integration_id: str | None = None,
        integration_alias: str | None = None,
        end_user_id: str | None = None,
        input: t.Json | None = None,
        partial_ids: builtins.list[str] | None = None,
        search_value: str | None = None,
    ) -> t.OptionList:
        """Resolves an input whose own inputs depend on others."""
        return self._ask(
            t.OptionList,
            "POST",
            ("integrations", name, "properties", "resolve"),
            body=made({
                "actionName": action_name,
                "triggerName": trigger_name,
                "propertyName": property_name,
                "connectionExternalId": connection_external_id,
                "authMethodKey": auth_method_key,
                "workspaceId": workspace_id,
                "workspaceIntegrationId": workspace_integration_id,
                "integrationAlias": integration_alias,
                "endUserId": end_user_id,
                "input": input,
                "partialIds": partial_ids,
                "searchValue": search_value,
            }),
        )

    def oauth_status(self) -> t.OAuthStatus:
        """Lists the connectors that people can sign in to by OAuth."""
        return self._ask(t.OAuthStatus, "GET", ("integrations", "oauth-status"))


class Partials(Resource):
    """Saved inputs; those in `enforcedKeys` are locked, and hidden from agents."""

    def list(
        self,
        *,
        workspace_id: str,
        integration_name: str | None = None,
        workspace_integration_id: str | None = None,
        integration_alias: str | None = None,
        action_name: str | None = None,
        trigger_name: str | None = None,
    ) -> t.PartialList:
        """Lists partials."""
        return self._ask(
            t.PartialList,
            "GET",
            ("partials",),
            query=made({
                "workspaceId": workspace_id,
                "integrationName": integration_name,
                "workspaceIntegrationId": workspace_integration_id,
                "integrationAlias": integration_alias,
                "actionName": action_name,
                "triggerName": trigger_name,
            }),
        )

    def create(
        self,
        *,
        workspace_id: str,
        integration_name: str,
        name: str,
        workspace_integration_id: str | None = None,
        integration_alias: str | None = None,
        action_name: str | None = None,
        trigger_name: str | None = None,
        description: str | None = None,
        values: t.Json | None = None,
        enforced_keys: builtins.list[str] | None = None,
        is_default: bool | None = None,
    ) -> t.OnePartial:
        """Makes a partial."""
        return self._ask(
            t.OnePartial,
            "POST",
            ("partials",),
            body=made({
                "workspaceId": workspace_id,
                "integrationName": integration_name,
                "workspaceIntegrationId": workspace_integration_id,
                "integrationAlias": integration_alias,
                "actionName": action_name,
                "triggerName": trigger_name,
                "name": name,
                "description": description,
                "values": values,
                "enforcedKeys": enforced_keys,
                "isDefault": is_default,
            }),
        )

    def get(self, partial_id: str, /) -> t.OnePartial:
        """Reads a partial."""
        return self._ask(t.OnePartial, "GET", ("partials", partial_id))

    def update(
        self,
        partial_id: str,
        /,
        *,
        name: str | None | Unset = UNSET,
        description: str | None | Unset = UNSET,
        values: t.Json | None | Unset = UNSET,
        enforced_keys: builtins.list[str] | None | Unset = UNSET,
        is_default: bool | None | Unset = UNSET,
    ) -> t.OnePartial:
        """Changes a partial."""
        return self._ask(
            t.OnePartial,
            "PATCH",
            ("partials", partial_id),
            body=changed({
                "name": name,
                "description": description,
                "values": values,
                "enforcedKeys": enforced_keys,
                "isDefault": is_default,
            }),
        )

    def set_default(self, partial_id: str, /, is_default: bool) -> t.OnePartial:
        """Makes a partial a default, or no default."""
        return self._ask(
            t.OnePartial,
            "POST",
            ("partials", partial_id, "set-default"),
            body=made({
                "isDefault": is_default,
            }),
        )

    def delete(self, partial_id: str, /) -> t.DeletedPartial:
        """Deletes a partial."""
        return self._ask(t.DeletedPartial, "DELETE", ("partials", partial_id))


class EndUsers(Resource):
    """The persons of your own product."""

    def list(
        self,
        *,
        workspace_id: str,
        query: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> t.EndUserList:
        """Lists end users."""
        return self._ask(
            t.EndUserList,
            "GET",
            ("end-users",),
            query=made({
                "workspaceId": workspace_id,
                "query": query,
                "limit": limit,
                "offset": offset,
            }),
        )

    def create(
        self,
        *,
        workspace_id: str,
        external_id: str,
        display_name: str | None = None,
        email: str | None = None,
        metadata: t.Json | None = None,
    ) -> t.OneEndUser:
        """Makes an end user."""
        return self._ask(
            t.OneEndUser,
            "POST",
            ("end-users",),
            body=made({
                "workspaceId": workspace_id,
                "externalId": external_id,
                "displayName": display_name,
                "email": email,
                "metadata": metadata,
            }),
        )

    def get(self, end_user_id: str, /) -> t.EndUserWithAccounts:
        """Reads an end user."""
        return self._ask(t.EndUserWithAccounts, "GET", ("end-users", end_user_id))

    def update(
        self,
        end_user_id: str,
        /,
        *,
        display_name: str | None | Unset = UNSET,
        email: str | None | Unset = UNSET,
        metadata: t.Json | None | Unset = UNSET,
    ) -> t.OneEndUser:
        """Changes an end user."""
        return self._ask(
            t.OneEndUser,
            "PATCH",
            ("end-users", end_user_id),
            body=changed({
                "displayName": display_name,
                "email": email,
                "metadata": metadata,
            }),
        )

    def delete(self, end_user_id: str, /) -> t.DeletedEndUser:
        """Deletes an end user."""
        return self._ask(t.DeletedEndUser, "DELETE", ("end-users", end_user_id))

    def create_connect_token(
        self,
        end_user_id: str,
        /,
        *,
        integration_name: str | None = None,
        workspace_integration_id: str | None = None,
        expires_in: int | None = None,
    ) -> t.LinkView:
        """Makes a link for an end user."""
        return self._ask(
            t.LinkView,
            "POST",
            ("end-users", end_user_id, "connect-token"),
            body=made({
                "integrationName": integration_name,
                "workspaceIntegrationId": workspace_integration_id,
                "expiresIn": expires_in,
            }),
        )

    def invite(
        self,
        end_user_id: str,
        /,
        *,
        email: str,
        integration_name: str | None = None,
        workspace_integration_id: str | None = None,
        expires_in: int | None = None,
    ) -> t.EndUserInvitation:
        """Mails an end user a link to connect an account."""
        return self._ask(
            t.EndUserInvitation,
            "POST",
            ("end-users", end_user_id, "invite"),
            body=made({
                "email": email,
                "integrationName": integration_name,
                "workspaceIntegrationId": workspace_integration_id,
                "expiresIn": expires_in,
            }),
        )


class McpServers(Resource):
    """Hosted MCP servers, their tools and tokens."""

    def list(
        self,
        *,
        workspace_id: str | None = None,
        include_suspended: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> t.ServerList:
        """Lists servers."""
        return self._ask(
            t.ServerList,
            "GET",
            ("mcp", "servers"),
            query=made({
                "workspaceId": workspace_id,
                "includeSuspended": include_suspended,
                "limit": limit,
                "offset": offset,
            }),
        )

    def create(
        self,
        *,
        name: str,
        workspace_id: str,
        description: str | None = None,
        mode: t.McpServerMode | None = None,
        settings: t.Json | None = None,
        auth_mode: t.McpServerAuthMode | None = None,
        end_user_access: t.McpServerEndUserAccess | None = None,
        end_user_id: str | None = None,
        created_by: str | None = None,
    ) -> t.MadeServer:
        """Makes a server."""
        return self._ask(
            t.MadeServer,
            "POST",
            ("mcp", "servers"),
            body=made({
                "name": name,
                "description": description,
                "workspaceId": workspace_id,
                "mode": mode,
                "settings": settings,
                "authMode": auth_mode,
                "endUserAccess": end_user_access,
                "endUserId": end_user_id,
                "createdBy": created_by,
            }),
        )

    def get(self, server_id: str, /) -> t.ServerWithTools:
        """Reads a server."""
        return self._ask(t.ServerWithTools, "GET", ("mcp", "servers", server_id))

    def update(
        self,
        server_id: str,
        /,
        *,
        name: str | None | Unset = UNSET,
        description: str | None | Unset = UNSET,
        mode: t.McpServerMode | None | Unset = UNSET,
        settings: t.Json | None | Unset = UNSET,
        auth_mode: t.McpServerAuthMode | None | Unset = UNSET,
        end_user_access: t.McpServerEndUserAccess | None | Unset = UNSET,
        end_user_id: str | None | Unset = UNSET,
    ) -> t.ChangedServer:
        """Changes a server."""
        return self._ask(
            t.ChangedServer,
            "PATCH",
            ("mcp", "servers", server_id),
            body=changed({
                "name": name,
                "description": description,
                "mode": mode,
                "settings": settings,
                "authMode": auth_mode,
                "endUserAccess": end_user_access,
                "endUserId": end_user_id,
            }),
        )

    def delete(self, server_id: str, /) -> t.DeletedServer:
        """Deletes a server."""
        return self._ask(t.DeletedServer, "DELETE", ("mcp", "servers", server_id))

    def regenerate_token(self, server_id: str, /) -> t.FreshServerToken:
        """Replaces the token of a server."""
        return self._ask(
            t.FreshServerToken,
            "POST",
            ("mcp", "servers", server_id, "regenerate-token"),
        )

    def create_access_token(
        self,
        server_id: str,
        /,
        *,
        end_user_id: str,
        scopes: builtins.list[str] | None = None,
        expires_in: int | None = None,
    ) -> t.FreshAccessToken:
        """Makes a token of a server for one end user."""
        return self._ask(
            t.FreshAccessToken,
            "POST",
            ("mcp", "servers", server_id, "access-tokens"),
            body=made({
                "endUserId": end_user_id,
                "scopes": scopes,
                "expiresIn": expires_in,
            }),
        )

    def create_oauth_token(
        self,
        server_id: str,
        /,
        *,
        end_user_id: str,
        scopes: builtins.list[str] | None = None,
        expires_in: int | None = None,
    ) -> t.FreshOauthToken:
        """Makes a token of a server for one end user, for a client that calls it an OAuth token."""
        return self._ask(
            t.FreshOauthToken,
            "POST",
            ("mcp", "servers", server_id, "oauth-tokens"),
            body=made({
                "endUserId": end_user_id,
                "scopes": scopes,
                "expiresIn": expires_in,
            }),
        )

    def list_tools(self, server_id: str, /) -> t.ServerToolList:
        """Lists the tools of a server."""
        return self._ask(t.ServerToolList, "GET", ("mcp", "servers", server_id, "tools"))

    def add_tool(
        self,
        server_id: str,
        /,
        *,
        integration_name: str,
        action_name: str,
        integration_alias: str | None = None,
        tool_type: t.ToolType | None = None,
        connection_id: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        input_defaults: t.Json | None = None,
        partial_ids: builtins.list[str] | None = None,
        sort_order: int | None = None,
    ) -> t.OneServerTool:
        """Picks a tool for a server."""
        return self._ask(
            t.OneServerTool,
            "POST",
            ("mcp", "servers", server_id, "tools"),
            body=made({
                "integrationName": integration_name,
                "actionName": action_name,
                "integrationAlias": integration_alias,
                "toolType": tool_type,
                "connectionId": connection_id,
                "displayName": display_name,
                "description": description,
                "inputDefaults": input_defaults,
                "partialIds": partial_ids,
                "sortOrder": sort_order,
            }),
        )

    def update_tool(
        self,
        server_id: str,
        tool: str,
        /,
        *,
        integration_alias: str | None | Unset = UNSET,
        connection_id: str | None | Unset = UNSET,
        display_name: str | None | Unset = UNSET,
        description: str | None | Unset = UNSET,
        input_defaults: t.Json | None | Unset = UNSET,
        partial_ids: builtins.list[str] | None | Unset = UNSET,
        sort_order: int | None | Unset = UNSET,
    ) -> t.OneServerTool:
        """Changes a picked tool."""
        return self._ask(
            t.OneServerTool,
            "PATCH",
            ("mcp", "servers", server_id, "tools", tool),
            body=changed({
                "integrationAlias": integration_alias,
                "connectionId": connection_id,
                "displayName": display_name,
                "description": description,
                "inputDefaults": input_defaults,
                "partialIds": partial_ids,
                "sortOrder": sort_order,
            }),
        )

    def delete_tool(self, server_id: str, tool: str, /) -> t.DeletedServerTool:
        """Takes a picked tool away."""
        return self._ask(
            t.DeletedServerTool,
            "DELETE",
            ("mcp", "servers", server_id, "tools", tool),
        )

    def pick_tools(
        self,
        server_id: str,
        /,
        *,
        tools: builtins.list[t.PickedTool] | None = None,
    ) -> t.ServerToolList:
        """Picks all tools of a server at once."""
        return self._ask(
            t.ServerToolList,
            "PUT",
            ("mcp", "servers", server_id, "tools", "picked"),
            body=made({
                "tools": tools,
            }),
        )

    def estimate_list(self, server_id: str, /) -> t.ToolListSizeView:
        """Estimates what the list of tools costs."""
        return self._ask(t.ToolListSizeView, "GET", ("mcp", "servers", server_id, "tool-list-size"))

    def call_tool(
        self,
        server_id: str,
        /,
        *,
        name: str,
        arguments: t.Json | None = None,
    ) -> t.CodeResult:
        """Calls a tool of a server."""
        return self._ask(
            t.CodeResult,
            "POST",
            ("mcp", "servers", server_id, "call"),
            body=made({
                "name": name,
                "arguments": arguments,
            }),
        )

    def execute_code(
        self,
        server_id: str,
        /,
        code: str,
        *,
        approval_id: str | None = None,
        wait_for_approval_seconds: int | None = None,
    ) -> t.CodeResult:
        """Runs a program over a server in code mode."""
        return self._ask(
            t.CodeResult,
            "POST",
            ("mcp", "servers", server_id, "execute-code"),
            body=made({
                "code": code,
                "approvalId": approval_id,
                "waitForApprovalSeconds": wait_for_approval_seconds,
            }),
        )

    def get_declarations(self, server_id: str, alias: str, /) -> t.Declarations:
        """Reads the declarations of an integration."""
        return self._ask(
            t.Declarations,
            "GET",
            ("mcp", "servers", server_id, "declarations", alias),
        )


class Actions(Resource):
    """Actions of connectors, run without an agent."""

    def execute(
        self,
        *,
        integration_name: str,
        action_name: str,
        workspace_id: str,
        input: t.Json | None = None,
        connection_external_id: str | None = None,
        auth_method_key: str | None = None,
        workspace_integration_id: str | None = None,
        end_user_id: str | None = None,
        integration_alias: str | None = None,
        partial_ids: builtins.list[str] | None = None,
        idempotency_key: str | None = None,
    ) -> t.ExecutedAction:
        """Runs one action."""
        return self._ask(
            t.ExecutedAction,
            "POST",
            ("actions", "execute"),
            body=made({
                "integrationName": integration_name,
                "actionName": action_name,
                "input": input,
                "connectionExternalId": connection_external_id,
                "authMethodKey": auth_method_key,
                "workspaceId": workspace_id,
                "workspaceIntegrationId": workspace_integration_id,
                "endUserId": end_user_id,
                "integrationAlias": integration_alias,
                "partialIds": partial_ids,
                "idempotencyKey": idempotency_key,
            }),
        )


class ApiKeys(Resource):
    """Keys of this API."""

    def list(self, *, limit: int | None = None, offset: int | None = None) -> t.ApiKeyList:
        """Lists API keys."""
        return self._ask(
            t.ApiKeyList,
            "GET",
            ("api-keys",),
            query=made({
                "limit": limit,
                "offset": offset,
            }),
        )

    def create(
        self,
        *,
        name: str,
        scopes: builtins.list[str] | None = None,
        expires_at: str | None = None,
        expires_in_days: int | None = None,
        never_expires: bool | None = None,
        permissions: t.ApiKeyPermissions | None = None,
        files: str | None = None,
        toolsets: builtins.list[str] | None = None,
        tools: builtins.list[str] | None = None,
    ) -> t.FreshApiKey:
        """Makes an API key."""
        return self._ask(
            t.FreshApiKey,
            "POST",
            ("api-keys",),
            body=made({
                "name": name,
                "scopes": scopes,
                "expiresAt": expires_at,
                "expiresInDays": expires_in_days,
                "neverExpires": never_expires,
                "permissions": permissions,
                "files": files,
                "toolsets": toolsets,
                "tools": tools,
            }),
        )

    def update(
        self,
        api_key_id: str,
        /,
        *,
        name: str | None | Unset = UNSET,
        scopes: builtins.list[str] | None | Unset = UNSET,
        toolsets: builtins.list[str] | None | Unset = UNSET,
        tools: builtins.list[str] | None | Unset = UNSET,
    ) -> t.OneApiKey:
        """Changes an API key."""
        return self._ask(
            t.OneApiKey,
            "PATCH",
            ("api-keys", api_key_id),
            body=changed({
                "name": name,
                "scopes": scopes,
                "toolsets": toolsets,
                "tools": tools,
            }),
        )

    def regenerate(self, api_key_id: str, /) -> t.FreshApiKey:
        """Replaces an API key."""
        return self._ask(t.FreshApiKey, "POST", ("api-keys", api_key_id, "regenerate"))

    def delete(self, api_key_id: str, /) -> t.RevokedCredential:
        """Revokes an API key."""
        return self._ask(t.RevokedCredential, "DELETE", ("api-keys", api_key_id))


class Orgs(Resource):
    """Organizations, made with the operator's service key."""

    def create(self, *, name: str, slug: str | None = None) -> t.MadeOrganization:
        """Makes an organization."""
        return self._ask(
            t.MadeOrganization,
            "POST",
            ("orgs",),
            body=made({
                "name": name,
                "slug": slug,
            }),
        )


class Resources:
    """All of them."""

    def __init__(self, send: Send) -> None:
        self.workspaces = Workspaces(send)
        self.connectors = Connectors(send)
        self.connections = Connections(send)
        self.connect = Connect(send)
        self.integrations = Integrations(send)
        self.partials = Partials(send)
        self.end_users = EndUsers(send)
        self.mcp_servers = McpServers(send)
        self.actions = Actions(send)
        self.api_keys = ApiKeys(send)
        self.orgs = Orgs(send)
