"""Waiting for a person who was given a link."""

from __future__ import annotations

import time

from . import resources
from .errors import QuaymasterError
from .types import PolledSession


class Connect(resources.Connect):
    def wait(
        self, token: str, *, timeout: float = 120.0, interval: float = 1.0
    ) -> PolledSession:
        """Asks until the account is connected or the link has failed."""
        end = time.monotonic() + timeout
        while True:
            answer = self.poll(token)
            if answer["status"] in ("COMPLETED", "FAILED"):
                return answer
            if time.monotonic() + interval > end:
                raise QuaymasterError(
                    "Nobody used the link in time.", code="TIMEOUT", retryable=True
                )
            time.sleep(interval)
