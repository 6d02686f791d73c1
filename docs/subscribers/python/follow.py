#!/usr/bin/env python3
"""Keeps a table of a ledger's accounts from Tallyhook's balance events.

Reads the newest message of every account from the stream, then follows every change. Each message
has the account's whole view, so the newest version is all that there is to know.

    python3 follow.py --url nats://127.0.0.1:4222 --ledger main

With --until, ends when that record has arrived, and prints the table as JSON.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

import nats
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

STREAM = "TALLYHOOK_BALANCES"
SCHEMA = Path(__file__).parents[2] / "balance-events" / "balance-event.schema.json"

# A broker that is silent for two of these is asked anew: after its restart, for example.
HEARTBEAT_SECONDS = 1

# What a message says of the change; all other members are the account's view.
OF_THE_CHANGE = ("movements", "cause", "record")


def say(text):
    """Tells what happens. Standard output is for the table alone."""
    print(text, file=sys.stderr, flush=True)


class Table:
    """The accounts of a ledger, each by the newest message about it."""

    def __init__(self, schema):
        self.views = {}
        self._validator = Draft202012Validator(
            schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        )

    def take(self, payload):
        """Takes a message in, and returns the number of its record."""
        event = json.loads(payload)
        if fault := best_match(self._validator.iter_errors(event)):
            raise ValueError(f"no balance event: {fault.json_path}: {fault.message}")
        change = event["data"]
        account, version = change["account"], change["version"]
        known = self.views.get(account, {}).get("version")
        if known is not None and version <= known:
            say(f"passed over: {account} version {version}, after {known}")
        else:
            if known is not None and version > known + 1:
                # The view is whole again; movements between are in the account's statement.
                say(f"gap: {account} version {version}, after {known}")
            self.views[account] = {
                name: value for name, value in change.items() if name not in OF_THE_CHANGE
            }
            say(f"{event['type']}: {account} version {version}: {change['available']} available")
        return change["record"]


async def follow(url, ledger, table, until):
    """Takes in what is there and what comes, until a record has arrived."""

    async def told(fault):
        say(f"nats: {fault!r}")

    # Goes on trying for as long as it takes, at the start as after an interruption.
    connection = await nats.connect(url, max_reconnect_attempts=-1, error_cb=told)
    try:
        # An ordered consumer makes itself anew where it was interrupted.
        messages = await connection.jetstream().subscribe(
            f"tallyhook.balances.{ledger}.>",
            stream=STREAM,
            ordered_consumer=True,
            idle_heartbeat=HEARTBEAT_SECONDS,
            config=ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT),
        )
        say(f"following ledger {ledger}")
        async for message in messages.messages:
            record = table.take(message.data)
            if until is not None and record >= until:
                return
    except NotFoundError:
        sys.exit(f"follow.py: no stream {STREAM}: start tallyhook with [nats] in its configuration")
    except ValueError as fault:
        sys.exit(f"follow.py: {fault}")
    finally:
        await connection.close()


def arguments():
    """What the command line and the environment say."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    url = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
    parser.add_argument("--url", default=url, help="the broker; NATS_URL names it too")
    parser.add_argument("--ledger", default="main")
    parser.add_argument("--until", type=int, metavar="RECORD", help="end with this record")
    parser.add_argument("--schema", type=Path, default=SCHEMA, help="the schema of messages")
    return parser.parse_args()


def main():
    """Follows, and prints the table at the end."""
    given = arguments()
    table = Table(json.loads(given.schema.read_text(encoding="utf-8")))
    try:
        asyncio.run(follow(given.url, given.ledger, table, given.until))
    except KeyboardInterrupt:
        pass
    print(json.dumps(table.views, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
