"""A TCP proxy between the server and PostgreSQL, which can be slow, and can stop passing bytes without closing anything."""
import asyncio


class Proxy:
    def __init__(self, to):
        self.to, self.delay = to, 0.0
        self.passes = asyncio.Event()
        self.passes.set()
        self.tasks = set()

    async def start(self):
        self.listener = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        try:
            # A new connection waits, too: it is accepted, and nobody answers.
            await self.passes.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            return writer.close()
        for ends in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self.forward(*ends))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def forward(self, reader, writer):
        """Passes bytes on, each `delay` seconds late, in their order."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue()

        async def deliver():
            while (item := await queue.get()) is not None:
                due, data = item
                await asyncio.sleep(due - loop.time())
                await self.passes.wait()
                writer.write(data)
                await writer.drain()

        sender = asyncio.create_task(deliver())
        try:
            while data := await reader.read(1 << 16):
                queue.put_nowait((loop.time() + self.delay, data))
            queue.put_nowait(None)
            await sender
        except OSError:
            sender.cancel()
        finally:
            writer.close()

    async def stop(self):
        self.listener.close()
        for task in list(self.tasks):
            task.cancel()
