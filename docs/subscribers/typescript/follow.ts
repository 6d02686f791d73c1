// Keeps a table of a ledger's accounts from Tallyhook's balance events.
//
// Reads the newest message of every account from the stream, then follows every change. Each
// message has the account's whole view, so the newest version is all that there is to know.
//
//   npm ci && npm run build
//   node dist/follow.js --url nats://127.0.0.1:4222 --ledger main
//
// With --until, ends when that record has arrived, and prints the table as JSON.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { DeliverPolicy, jetstream, JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

const STREAM = "TALLYHOOK_BALANCES";
const SCHEMA = new URL("../../../balance-events/balance-event.schema.json", import.meta.url);

/** How long an answer may take: after a restart of the broker, an interruption lasts as long. */
const ROUND_MS = 2_000;

/** An account after a change. Amounts are decimal text: as numbers they would lose digits. */
interface View {
  account: string;
  available: string;
  status: "active" | "frozen" | "closed";
  can_spend: boolean;
  version: number;
  [member: string]: unknown;
}

/** What this program reads of a message; the schema says all of it. */
interface BalanceEvent {
  type: string;
  data: View & { movements: unknown[]; cause: unknown; record: number };
}

/** Tells what happens. Standard output is for the table alone. */
function say(text: string): void {
  console.error(text);
}

/** The accounts of a ledger, each by the newest message about it. */
class Table {
  readonly views = new Map<string, View>();
  readonly #isBalanceEvent: ValidateFunction<BalanceEvent>;

  constructor(schema: object) {
    const ajv = new Ajv2020({ allowUnionTypes: true });
    formats.default(ajv);
    this.#isBalanceEvent = ajv.compile<BalanceEvent>(schema);
  }

  /** Takes a message in, and returns the number of its record. */
  take(event: unknown): number {
    if (!this.#isBalanceEvent(event)) {
      const [fault] = this.#isBalanceEvent.errors ?? [];
      throw new Error(`no balance event: ${fault?.instancePath}: ${fault?.message}`);
    }
    // What a message says of the change; all other members are the account's view.
    const { movements, cause, record, ...view } = event.data;
    const { account, version } = view;
    const known = this.views.get(account)?.version;
    if (known !== undefined && version <= known) {
      say(`passed over: ${account} version ${version}, after ${known}`);
      return record;
    }
    if (known !== undefined && version > known + 1) {
      // The view is whole again; movements between are in the account's statement.
      say(`gap: ${account} version ${version}, after ${known}`);
    }
    this.views.set(account, view as View);
    say(`${event.type}: ${account} version ${version}: ${view.available} available`);
    return record;
  }
}

/** Takes in what is there and what comes, until a record has arrived. */
async function follow(url: string, ledger: string, table: Table, until: number): Promise<void> {
  // Goes on trying for as long as it takes, at the start as after an interruption.
  const connection = await connect({
    servers: url,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
  });
  try {
    // Without a name, the consumer is an ordered one: it makes itself anew where it was interrupted.
    const consumer = await jetstream(connection).consumers.get(STREAM, {
      filter_subjects: `tallyhook.balances.${ledger}.>`,
      deliver_policy: DeliverPolicy.LastPerSubject,
    });
    const messages = await consumer.consume({ expires: ROUND_MS });
    say(`following ledger ${ledger}`);
    for await (const message of messages) {
      if (table.take(message.json()) >= until) {
        return;
      }
    }
  } catch (fault) {
    if (fault instanceof JetStreamApiError && fault.code === JetStreamApiCodes.StreamNotFound) {
      throw new Error(`no stream ${STREAM}: start tallyhook with [nats] in its configuration`);
    }
    throw fault;
  } finally {
    await connection.close();
  }
}

const { values: given } = parseArgs({
  options: {
    url: { type: "string", default: process.env["NATS_URL"] ?? "nats://127.0.0.1:4222" },
    ledger: { type: "string", default: "main" },
    until: { type: "string", default: "Infinity" },
    schema: { type: "string" },
  },
});
const table = new Table(JSON.parse(readFileSync(given.schema ?? SCHEMA, "utf8")));
try {
  await follow(given.url, given.ledger, table, Number(given.until));
  console.log(JSON.stringify(Object.fromEntries(table.views), null, 2));
} catch (fault) {
  say(`follow.js: ${fault instanceof Error ? fault.message : fault}`);
  process.exitCode = 1;
}
