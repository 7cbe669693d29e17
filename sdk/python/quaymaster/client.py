"""The client: one HTTP connection, and a member for each noun."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from .connect import Connect
from .errors import QuaymasterError
from .resources import Resources


class QuaymasterClient(Resources):
    """A client with an API key.

    Without `base_url` it is the environment variable `QUAYMASTER_URL`, else
    `http://127.0.0.1:8080`. Use it in a `with` statement, or call `close`.

    An operator's backend has `service_key` in the place of a key: it makes organizations, and
    acts in the one whose id is `org_id`.
    """

    connect: Connect

    def __init__(
        self,
        api_key: str | None = None,
        *,
        service_key: str | None = None,
        org_id: str | None = None,
        base_url: str | None = None,
        timeout: float = 120.0,
        http: httpx.Client | None = None,
    ) -> None:
        if (api_key is None) == (service_key is None):
            raise ValueError("Give either api_key or service_key.")
        super().__init__(self.request)
        self.connect = Connect(self.request)
        base = base_url or os.environ.get("QUAYMASTER_URL") or "http://127.0.0.1:8080"
        self._base = base.rstrip("/") + "/api/v1"
        headers = {
            "Authorization": api_key and f"Bearer {api_key}",
            "X-Service-Key": service_key,
            "X-Org-ID": org_id,
        }
        self._headers = {name: value for name, value in headers.items() if value}
        self._http = http or httpx.Client(timeout=timeout)

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
