"""The issuer of the tokens is away, slow or talks nonsense."""
import asyncio
import shutil

from lib.issuer import Issuer, Key
from lib.scenario import scenario

# Its known keys count meanwhile.
SILENT = ("down", "slow", "error", "garbage", "endless", "redirect")
# It has withdrawn its keys.
WITHDRAWN = ("no keys", "bad keys")


def no_openssl():
    return None if shutil.which("openssl") else "openssl"


@scenario("issuer broken", "tokens of known keys pass; others are refused within 5 s; new keys count when it is back", ("sqlite",), no_openssl)
async def broken(play):
    issuer = Issuer()
    issuer.start()
    play.cleanup.append(issuer.stop)
    known = issuer.keys[0]
    await play.begin(load=False, **issuer.settings())
    await play.begin_load(token=lambda user: known.sign(issuer.url, user))
    for way in (*SILENT, *WITHDRAWN):
        issuer.way, asked = way, issuer.asked
        if way == "down":
            issuer.stop()
        # The keys are fresh for a second, and an unknown one is looked for at once.
        await asyncio.sleep(12 if play.long else 1.2)
        await refused(play, way, Key("unknown").sign(issuer.url, "probe"))
        if way in WITHDRAWN:
            await refused(play, way, known.sign(issuer.url, "probe"))
        elif (fresh := await play.ask("/api/v1/me", known.sign(issuer.url, "probe"))).status != 200:
            play.result.faults.append(f"{way}: a token of a known key: {fresh.code}")
        if way == "down":
            issuer.start()
        elif issuer.asked == asked:
            play.result.faults.append(f"{way}: the issuer was not asked")
    issuer.way = "good"
    issuer.keys.append(Key("second"))
    await recovers(play, issuer, issuer.keys[1])
    await play.load.grows_by(50)
    await play.finish()


async def refused(play, way, token):
    answer = await play.ask("/api/v1/me", token)
    if answer.status not in (401, 503) or answer.status == 503 and "retry-after" not in answer.headers:
        play.result.faults.append(f"{way}: a token that is not good: {answer.code}")
    if (took := play.load.waited(answer.began, answer.ended)) > play.limit:
        play.result.faults.append(f"{way}: refused after {took:.1f} s")


async def recovers(play, issuer, key):
    """Waits until a token of the key is accepted."""
    began = asyncio.get_running_loop().time()
    while (answer := await play.ask("/api/v1/me", key.sign(issuer.url, "probe"))).status != 200:
        if asyncio.get_running_loop().time() > began + 60:
            return play.result.faults.append(f"a new key is not accepted after 60 s: {answer.code}")
        await asyncio.sleep(0.1)
    took = play.result.recovery = asyncio.get_running_loop().time() - began
    if took > play.limit:
        play.result.faults.append(f"recovered after {took:.1f} s")


@scenario("issuer absent at the start", "its tokens get 503 with `Retry-After`, until it comes", ("sqlite",), no_openssl)
async def absent(play):
    issuer = Issuer()
    key = issuer.keys[0]
    await play.begin(load=False, **issuer.settings())
    for path, status in (("/healthz", 200), ("/readyz", 503), ("/api/v1/me", 503)):
        answer = await play.ask(path, key.sign(issuer.url, "probe"))
        if answer.status != status or status == 503 and "retry-after" not in answer.headers:
            play.result.faults.append(f"{path}: {answer.code}")
    # First with the keys of somebody else, of the same name.
    issuer.keys = [Key("first")]
    issuer.start()
    play.cleanup.append(issuer.stop)
    await play.ready()
    if (answer := await play.ask("/api/v1/me", key.sign(issuer.url, "probe"))).status != 401:
        play.result.faults.append(f"a token that another key signed: {answer.code}")
    issuer.keys = [key]
    await recovers(play, issuer, key)
    await play.begin_load(token=lambda user: key.sign(issuer.url, user))
    await play.finish()
