"""One connection that sends requests, one after the other."""
import asyncio


class Connection:
    def __init__(self, server):
        self.server = server
        self.reader = self.writer = None

    async def send(self, method, path, user, body=None, headers=""):
        """The status of the answer; 0 if the connection was refused or cut."""
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            if body is not None:
                headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            self.writer.write(self.server.head(method, path, user, headers) + (body or b""))
            return await self.answer()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self.close()
            return 0

    async def answer(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split()[1])
        if "content-length" in fields:
            await self.reader.readexactly(int(fields["content-length"]))
        elif fields.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                await self.reader.readexactly(size + 2)
            await self.reader.readline()
        if fields.get("connection") == "close":
            self.close()
        return status

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None
