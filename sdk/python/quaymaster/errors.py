"""The one exception."""

from __future__ import annotations

from typing import Any


class QuaymasterError(Exception):
    """A request that failed.

    `code` is the management API's code (`VALIDATION_ERROR`, `NOT_FOUND`, ...), `CONNECTION_FAILED`
    when the server did not answer. `retryable` says whether the same request may succeed later
    without any change, `hint` what to do next. `status` is 0 without an answer.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 0,
        retryable: bool = False,
        hint: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{message} {hint}" if hint else message)
        self.message = message
        self.code = code
        self.status = status
        self.retryable = retryable
        self.hint = hint
        self.details = details or {}
