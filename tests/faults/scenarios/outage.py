"""PostgreSQL goes away and comes back."""
import asyncio

from lib.scenario import scenario

ONLY = ("postgres",)


@scenario("database stopped", "503 with `Retry-After` meanwhile; it heals by itself", ONLY)
async def stopped(play):
    await play.begin()
    await play.postgres.stop()
    await asyncio.sleep(20 if play.long else 6)
    if (health := await play.ask("/healthz")).status != 200:
        play.result.faults.append(f"/healthz: {health.code}")
    if (ready := await play.ask("/readyz")).status != 503:
        play.result.faults.append(f"/readyz: {ready.code}")
    await play.postgres.start()
    await play.recovers()
    await play.load.grows_by(50)
    await play.finish()


async def restarted(play, mode):
    await play.begin()
    for _ in range(10 if play.long else 2):
        await play.postgres.stop(mode)
        await play.postgres.start()
        await play.recovers()
        await play.load.grows_by(50)
    await play.finish()


@scenario("database restarted", "readers wait for it; writes that may have been done say so", ONLY)
async def fast(play):
    await restarted(play, "fast")


@scenario("database crashed", "the same after `pg_ctl stop -m immediate`", ONLY)
async def crashed(play):
    await restarted(play, "immediate")


@scenario("connections ended", "reads are repeated; writes are, where they surely were not done or carry a key", ONLY)
async def ended(play):
    await play.begin()
    for _ in range(50 if play.long else 8):
        await play.load.grows_by(20)
        await play.postgres.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'taskward'")
    await play.recovers()
    await play.finish()


@scenario("database absent at the start", "the server starts, says 503, and migrates when the database comes", ONLY)
async def absent(play):
    url = await play.database()
    await play.postgres.stop()
    try:
        await play.begin(url, load=False)
        for path, status in (("/healthz", 200), ("/readyz", 503), ("/api/v1/tasks", 503)):
            answer = await play.ask(path)
            if answer.status != status or status == 503 and "retry-after" not in answer.headers:
                play.result.faults.append(f"{path}: {answer.code}")
    finally:
        await play.postgres.start()
    await play.begin_load()
    await play.recovers()
    await play.finish()
