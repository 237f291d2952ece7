"""The disk is full: a small file system in memory is filled up. It needs the right to mount one."""
import asyncio
import os
import subprocess

from lib.postgres import Postgres
from lib.scenario import scenario


def mounted(play, size):
    """A small file system."""
    folder = play.home / "disk"
    folder.mkdir()
    # PostgreSQL runs as another user, who must reach it.
    play.home.chmod(0o711)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "taskward-faults", folder], check=True)
    play.cleanup.append(lambda: subprocess.run(["umount", "--lazy", folder], check=True))
    return folder


def cannot_mount():
    done = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], stderr=subprocess.DEVNULL)
    return "the right to mount a file system" if done.returncode else None


def fill(file):
    """Takes all that is left."""
    block = 1 << 16
    with open(file, "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(block))
        except OSError:
            pass


async def full(play, ballast):
    for _ in range(5 if play.long else 1):
        fill(ballast)
        end = asyncio.get_running_loop().time() + (15 if play.long else 5)
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.2)
            fill(ballast) if not os.statvfs(ballast).f_bavail else None
        ballast.unlink()
        yield


@scenario("disk full", "writes get 503 with `Retry-After`, reads go on; it heals when there is room", ("sqlite",), cannot_mount)
async def sqlite(play):
    folder = mounted(play, "16m")
    await play.begin(await play.database(folder=folder))
    async for _ in full(play, folder / "ballast"):
        await play.recovers()
    await play.load.grows_by(50)
    if not play.load.answers["503 database_unavailable"]:
        play.result.faults.append("no write met the full disk")
    await play.finish()


@scenario("disk of PostgreSQL full", "503 with `Retry-After`; it heals when there is room and PostgreSQL runs", ("postgres",), cannot_mount)
async def postgres(play):
    folder = mounted(play, "120m")
    play.postgres = Postgres(folder)
    await play.postgres.start()
    play.cleanup.append(play.postgres.remove)
    await play.begin()
    async for _ in full(play, folder / "ballast"):
        # It ends by itself if it cannot write its log.
        if await play.postgres.control("status", check=False):
            play.result.notes.append("PostgreSQL ended, and was started again")
            await play.postgres.start()
        await play.recovers()
    await play.load.grows_by(50)
    await play.finish()
