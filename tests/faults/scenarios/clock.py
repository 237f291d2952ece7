"""The clock of the machine is set forward and back, as libfaketime shows it to the server."""
import asyncio
import glob

from lib.scenario import scenario
from lib.server import token

HOUR = 3600


def library():
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def no_libfaketime():
    return None if library() else "Debian's libfaketime"


@scenario("clock steps", "times of a user never run backwards; a token is judged by the clock as it is", missing=no_libfaketime)
async def steps(play):
    offset = play.home / "offset"
    offset.write_text("+0")
    await play.begin(LD_PRELOAD=library(), FAKETIME_TIMESTAMP_FILE=str(offset), FAKETIME_NO_CACHE="1",
                     FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1")
    short = token("probe", 600)
    for step in (HOUR, 0, -HOUR, 2 * HOUR, -2 * HOUR, 0):
        offset.write_text(f"{step:+d}")
        await play.load.grows_by(200 if play.long else 50)
        answer = await play.ask("/api/v1/me", short)
        if (answer.status == 200) != (step <= 0):
            play.result.faults.append(f"a token of 10 minutes, {step:+d} s: {answer.code}")
    await play.recovers()
    await play.finish()
