"""Another session has locked what the server needs."""
import asyncio
import sqlite3

from lib.scenario import scenario


async def held(play, text):
    session = await play.postgres.hold(text, play.name)
    await asyncio.sleep(20 if play.long else 7)
    session.kill()
    await session.wait()
    # The server notices when it reads from the dead client.
    await play.postgres.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'psql' AND pid <> pg_backend_pid()")


@scenario("table locked", "503 with `Retry-After` within 5 s", ("postgres",))
async def table(play):
    await play.begin()
    await held(play, "LOCK TABLE task IN ACCESS EXCLUSIVE MODE")
    await play.recovers()
    await play.load.grows_by(50)
    await play.finish()


@scenario("rows of a user locked", "writes of that user get 503 with `Retry-After` within 5 s; nobody else notices", ("postgres",))
async def rows(play):
    await play.begin()
    await held(play, "SELECT 1 FROM user_clock WHERE user_id = 'user-0' FOR UPDATE")
    await play.recovers()
    waited = max(play.load.waited(event.began, event.ended) for user in play.load.users[1:] for event in user.ledger.writes)
    # Whoever waits for the lock waits for 4 s.
    if waited > 3:
        play.result.faults.append(f"another user waited for {waited:.1f} s")
    await play.load.grows_by(50)
    await play.finish()


@scenario("file locked by another process", "reads go on; writes get 503 with `Retry-After` within 5 s", ("sqlite",))
async def file(play):
    await play.begin()
    other = sqlite3.connect(play.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(20 if play.long else 7)
    other.execute("ROLLBACK")
    other.close()
    await play.recovers()
    await play.load.grows_by(50)
    await play.finish()
