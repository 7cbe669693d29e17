"""The client: one HTTP connection, and a member for each noun."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from .errors import QuaymasterError
from .resources import (
    Actions,
    ApiKeys,
    Connect,
    Connections,
    EndUsers,
    Integrations,
    McpServers,
    Partials,
    Workspaces,
)


class QuaymasterClient:
    """A client with an API key.

    Without `base_url` it is the environment variable `QUAYMASTER_URL`, else
    `http://127.0.0.1:8080`. Use it in a `with` statement, or call `close`.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str | None = None,
        timeout: float = 120.0,
        http: httpx.Client | None = None,
    ) -> None:
        base = base_url or os.environ.get("QUAYMASTER_URL") or "http://127.0.0.1:8080"
        self._base = base.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._http = http or httpx.Client(timeout=timeout)
        self.workspaces = Workspaces(self)
        self.connections = Connections(self)
        self.connect = Connect(self)
        self.integrations = Integrations(self)
        self.partials = Partials(self)
        self.end_users = EndUsers(self)
        self.mcp_servers = McpServers(self)
        self.actions = Actions(self)
        self.api_keys = ApiKeys(self)

    def request(
        self,
        method: str,
        *path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Sends one request; the parts of the path are escaped. For what has no member here."""
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(
                method, url, json=body, params=given or None, headers=self._headers
            )
        except httpx.HTTPError as error:
            raise QuaymasterError(
                f"The server did not answer: {error}", code="CONNECTION_FAILED", retryable=True
            ) from error
        try:
            read = answer.json()
        except ValueError:
            read = {}
        if answer.is_success:
            return read if isinstance(read, dict) else {}
        fault = read if isinstance(read, dict) else {}
        raise QuaymasterError(
            fault.get("message") or f"The server answered {answer.status_code}.",
            code=fault.get("code", "HTTP_ERROR"),
            status=answer.status_code,
            retryable=bool(fault.get("retryable", answer.status_code >= 500)),
            hint=fault.get("hint"),
            details=fault.get("details"),
        )

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> QuaymasterClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
