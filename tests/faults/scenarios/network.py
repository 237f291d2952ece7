"""The way to PostgreSQL is slow, or swallows everything."""
import asyncio

from lib.proxy import Proxy
from lib.scenario import scenario

ONLY = ("postgres",)


async def begin(play):
    proxy = Proxy(play.postgres.port)
    await proxy.start()
    play.cleanup.append(proxy.stop)
    await play.begin(await play.database(proxy.port))
    return proxy


@scenario("network swallows everything", "503 with `Retry-After` within 5 s, and it heals by itself", ONLY)
async def swallows(play):
    proxy = await begin(play)
    for _ in range(3 if play.long else 1):
        proxy.passes.clear()
        await asyncio.sleep(20 if play.long else 8)
        proxy.passes.set()
        await play.recovers()
        await play.load.grows_by(50)
    await play.finish()


@scenario("network slow", "200 ms there and back: what is not done in time is 503 with `Retry-After` within 5 s", ONLY)
async def slow(play):
    proxy = await begin(play)
    proxy.delay = 0.1
    await asyncio.sleep(20 if play.long else 5)
    proxy.delay = 0
    await play.recovers()
    await play.load.grows_by(50)
    await play.finish()
