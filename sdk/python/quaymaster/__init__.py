"""Client of Quaymaster's management API.

    from quaymaster import QuaymasterClient

    client = QuaymasterClient(api_key="sk-org-...", base_url="https://quaymaster.example.com")
    made = client.mcp_servers.create(name="My AI Tools", workspace_id="main", mode="TOOLS")
"""

from .base import UNSET
from .client import QuaymasterClient
from .errors import QuaymasterError

__all__ = ["UNSET", "QuaymasterClient", "QuaymasterError"]
