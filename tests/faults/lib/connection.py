"""One connection of a client, which sends requests one after the other, and says what became of each."""
import asyncio
import json
import time
from dataclasses import dataclass, field

# Longer than the server may take for anything: whoever has no answer then has none.
PATIENCE = 30


@dataclass
class Answer:
    # The status; 0 if there was no whole answer.
    status: int
    # Without an answer: "not sent" (nobody listens), "cut" (the connection ended), "silent" (nothing came in time).
    kind: str = ""
    body: object = None
    headers: dict = field(default_factory=dict)
    # By time.monotonic().
    began: float = 0
    ended: float = 0
    # When the request before it on the same connection began; None on a new connection.
    before: float | None = None

    @property
    def code(self):
        """What the answer is called in the report."""
        if not self.status:
            return self.kind
        name = self.body.get("code") if isinstance(self.body, dict) and self.status >= 400 else None
        return f"{self.status} {name}" if name else str(self.status)

    @property
    def surely_not_done(self):
        """Whether the server says, or the network shows, that a write has changed nothing."""
        if self.status:
            return self.status >= 400 and self.code != "503 outcome_unknown"
        return self.kind == "not sent"


class Connection:
    def __init__(self, port, token):
        """`port` says where to connect, each time."""
        self.port, self.token = port, token
        self.reader = self.writer = self.before = None

    async def send(self, method, path, body=None, **headers):
        answer = Answer(0, began=time.monotonic())
        try:
            async with asyncio.timeout(PATIENCE):
                await self.exchange(answer, method, path, body, headers)
        except TimeoutError:
            answer.kind = "silent"
        except (OSError, asyncio.IncompleteReadError):
            answer.kind = answer.kind or "cut"
        answer.ended = time.monotonic()
        self.before = answer.began
        if answer.kind:
            answer.status = 0
            self.close()
        return answer

    async def exchange(self, answer, method, path, body, headers):
        if self.writer is None or self.reader.at_eof():
            self.close()
            answer.kind = "not sent"
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port())
            answer.kind = ""
        else:
            answer.before = self.before
        data = b"" if body is None else json.dumps(body).encode()
        fields = {"Host": "localhost", "Authorization": f"Bearer {self.token}"}
        if body is not None:
            patch = method == "PATCH"
            fields["Content-Type"] = "application/merge-patch+json" if patch else "application/json"
            fields["Content-Length"] = len(data)
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
        await self.read(answer)

    async def read(self, answer):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        answer.status = int(lines[0].split()[1])
        answer.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        data = b""
        if "content-length" in answer.headers:
            data = await self.reader.readexactly(int(answer.headers["content-length"]))
        elif answer.headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                data += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        answer.body = json.loads(data) if data else None
        if answer.headers.get("connection") == "close":
            self.close()

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None
