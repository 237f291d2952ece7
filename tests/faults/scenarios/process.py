"""The server itself ends: killed, or asked to stop."""
import asyncio
import random

from lib.scenario import scenario


@scenario("kill", "`kill -9` loses nothing acknowledged and does nothing twice; the server recovers by a restart")
async def kill(play):
    await play.begin()
    rounds = 200 if play.long else 5
    for _ in range(rounds):
        await play.load.grows_by(random.randrange(10, 80))
        play.server.kill()
        await play.server.start()
        await play.recovers()
    await play.load.grows_by(50)
    play.result.notes.append(f"{rounds} rounds")
    await play.finish()


@scenario("stop", "SIGTERM finishes what was accepted, and the exit status is 0")
async def stop(play):
    await play.begin()
    rounds = 20 if play.long else 2
    for _ in range(rounds):
        await play.load.grows_by(random.randrange(10, 80))
        if status := await play.server.terminate():
            play.result.faults.append(f"the exit status was {status}")
        await play.server.start()
        await play.recovers()
    await play.load.grows_by(50)
    if cut := play.load.answers["cut"]:
        play.result.faults.append(f"{cut} requests had no answer")
    play.result.notes.append(f"{rounds} rounds")
    await play.finish()
