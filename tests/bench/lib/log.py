"""Says what is being done, on standard error."""
import sys
import time


def log(*words):
    print(time.strftime("%H:%M:%S"), *words, file=sys.stderr, flush=True)
