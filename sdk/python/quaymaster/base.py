"""What the nouns are made of.

Where an optional argument is None when something is made, it is left out. Where something is
changed, `UNSET` leaves it as it is and None takes it away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from .types import Json

Answer = TypeVar("Answer")


class Unset:
    """The type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


def made(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def changed(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not UNSET}


class Send(Protocol):
    """Sends one request and answers what came back."""

    def __call__(
        self, method: str, *path: str, body: Json | None = None, query: Json | None = None
    ) -> Any: ...


class Resource:
    def __init__(self, send: Send) -> None:
        self._send = send

    def _ask(
        self,
        kind: type[Answer],
        method: str,
        path: Sequence[str],
        *,
        body: Json | None = None,
        query: Json | None = None,
    ) -> Answer:
        """One request, whose answer is taken for a `kind` unseen."""
        answer: Answer = self._send(method, *path, body=body, query=query)
        return answer
