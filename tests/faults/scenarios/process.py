"""The server itself ends: killed, or asked to stop."""
import random

from lib.scenario import scenario

# SHUTDOWN_DELAY_SECONDS, by default.
DELAY = 1


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
    # For the second before it closes idle connections, the server asks clients to leave theirs. One that is not used in that time
    # can end in the moment in which a client uses it again, as with any server.
    for answer in play.load.waits:
        if answer.kind == "cut" and (answer.before is None or answer.ended - answer.before < DELAY):
            use = "new" if answer.before is None else f"used {answer.ended - answer.before:.2f} s before"
            play.result.faults.append(f"a request had no answer; its connection was {use}")
    play.result.notes.append(f"{rounds} rounds")
    await play.finish()
