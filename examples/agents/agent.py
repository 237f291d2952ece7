"""A script that acts for a person: adds a task, then says what is due within a week. No model is needed for that.

export TASKWARD_MCP_URL=http://localhost:8000/mcp TASKWARD_TOKEN=…
pip install -r requirements.txt && python agent.py "Buy milk" tomorrow
"""

import asyncio
import os
import sys
import uuid

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL = os.environ.get("TASKWARD_MCP_URL", "http://localhost:8000/mcp")
TOKEN = os.environ["TASKWARD_TOKEN"]
# "tomorrow" is where the person is.
TIME_ZONE = os.environ.get("TZ", "UTC")


async def main(title: str | None = None, due_date: str | None = None) -> None:
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    async with http, Client(streamable_http_client(URL, http_client=http)) as client:

        async def call(name: str, **arguments):
            """Calls a tool; a fault is told in words."""
            result = await client.call_tool(name, arguments)
            if result.is_error:
                raise SystemExit("\n".join(part.text for part in result.content))
            return result.structured_content

        if title:
            task = {"title": title} | ({"due_date": due_date} if due_date else {})
            # Sent again with the same id after a lost answer, it adds nothing twice.
            await call("add_tasks", tasks=[task], time_zone=TIME_ZONE, request_id=str(uuid.uuid4()))
        found = await call("find_tasks", completed=False, due_to="in 7 days", sort="due_date", time_zone=TIME_ZONE)
        for task in found["tasks"]:
            print(f"{task['due_date']}  {task['title']}  (task {task['id']})")


asyncio.run(main(*sys.argv[1:3]))
