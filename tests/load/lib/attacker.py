"""Runs an attack in a process of its own, so that the user's times do not contain the work of making it."""
import asyncio
import multiprocessing
import os
import signal

from .attacks import ATTACKS


class Attacker:
    def __init__(self, name, server):
        self.here, there = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=attack, args=(name, server, there), daemon=True)
        self.process.start()

    def end(self):
        """Ends the attack, and returns what it got."""
        os.kill(self.process.pid, signal.SIGTERM)
        told = self.here.recv()
        self.process.join()
        return told


def attack(name, server, pipe):
    # A real attacker has a machine of their own: the server and its user go first on this one.
    os.nice(10)
    asyncio.run(go_on(ATTACKS[name](server), pipe))


async def go_on(attack, pipe):
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await attack.begin()
    await ended.wait()
    await attack.end()
    pipe.send(attack.told())
