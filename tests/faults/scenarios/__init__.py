"""The scenarios, in the order of the report. A module declares them by `@scenario`."""
from . import process, outage, network, locks, disk, issuer, clock
