"""One small interface to both major versions of the official Python SDK."""

import os
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

VERSION = int(version("mcp").split(".")[0])
URL = os.environ["TASKWARD_MCP_URL"]


def token(user: str, *more: str) -> str:
    """A token of development mode; without a scope it allows everything."""
    home = os.environ["TASKWARD_HOME"]
    command = [os.environ["TASKWARD_BIN"], "token", user, *more]
    environment = {"PATH": os.environ["PATH"], "HOME": home}
    made = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=True)
    return made.stdout.strip()


@dataclass
class Result:
    """What a tool answered: for a program, for a model, and whether it failed."""

    data: dict[str, Any]
    words: str
    failed: bool


class User:
    """Somebody's connected client."""

    def __init__(self, client: Any, revision: str) -> None:
        self.client = client
        self.revision = revision

    async def tools(self) -> list[dict[str, Any]]:
        listed = await self.client.list_tools()
        return [tool.model_dump(by_alias=True, exclude_none=True) for tool in listed.tools]

    async def call(self, name: str, **arguments: Any) -> Result:
        answer = (await self.client.call_tool(name, arguments)).model_dump(by_alias=True)
        words = "\n".join(part["text"] for part in answer["content"])
        return Result(answer["structuredContent"] or {}, words, bool(answer["isError"]))

    async def titles(self, **arguments: Any) -> list[str]:
        found = await self.call("find_tasks", **arguments)
        return [task["title"] for task in found.data["tasks"]]


if VERSION == 1:
    import httpx
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    MODES = {"as it comes": "2025-11-25"}

    @asynccontextmanager
    async def connect(mode: str, token: str):
        http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"})
        async with http, streamable_http_client(URL, http_client=http) as (read, write, _):
            async with ClientSession(read, write) as session:
                hello = await session.initialize()
                yield User(session, hello.protocolVersion)

else:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    MODES = {"auto": "2026-07-28", "legacy": "2025-11-25"}

    @asynccontextmanager
    async def connect(mode: str, token: str):
        http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"})
        async with http, Client(streamable_http_client(URL, http_client=http), mode=mode) as client:
            yield User(client, client.protocol_version)
