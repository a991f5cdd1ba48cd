// Runs one scenario of a client's script: node SCRIPT PORT SCENARIO [MORE].
'use strict';
const assert = require('node:assert/strict');
const readline = require('node:readline');

const enough = 200;
const delay = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

// Waits until the key of which `get` asks is gone.
async function gone(get) {
  while ((await get()) !== null) {
    await delay(5);
  }
}

// Writes keys until lunad was killed and is back, then looks for all that were acknowledged.
// `set` may fail while lunad is away; `get` waits for the client's own reconnecting.
async function reconnect(set, get) {
  let restarted = false;
  readline.createInterface({ input: process.stdin }).once('line', () => { restarted = true; });
  const acknowledged = [];
  let failures = 0;
  for (let i = 0, more = enough; more > 0; ++i) {
    try {
      assert.equal(await set(`k${i}`, `v${i}`), 'OK');
      acknowledged.push(i);
      more -= restarted ? 1 : 0;
    } catch (failure) {
      if (failure instanceof assert.AssertionError || ++failures > 10_000) throw failure;
      await delay(5);
    }
    if (acknowledged.length === enough) {
      process.stdout.write('writing\n');
      acknowledged.push(i);
    }
  }
  for (const i of acknowledged) {
    assert.equal(await get(`k${i}`), `v${i}`);
  }
  process.stdin.destroy();
}

// Runs the scenario that the command line names; a failure ends the process with 1.
function main(scenarios) {
  const [port, name, ...more] = process.argv.slice(2);
  scenarios[name](Number(port), ...more).then(
    () => process.exit(0),
    (failure) => { console.error(failure); process.exit(1); });
}

module.exports = { assert, gone, reconnect, main };
