// The scenarios with node-redis.
'use strict';
const { createClient } = require('redis');
const { assert, gone, reconnect, main } = require('./scenario.js');

async function connect(port, protocol) {
  const client = createClient({
    RESP: Number(protocol),
    socket: { host: '127.0.0.1', port, reconnectStrategy: () => 20 },
  });
  client.on('error', () => {});  // a failed command tells its caller
  return client.connect();
}

main({
  async strings(port, protocol) {
    const client = await connect(port, protocol);
    assert.equal(await client.set('k', 'ä\0\r\n'), 'OK');
    assert.equal(await client.get('k'), 'ä\0\r\n');
    assert.equal(await client.get('none'), null);
    assert.equal(await client.set('k', 'w', { condition: 'NX' }), null);
    assert.equal(await client.set('k', 'w'), 'OK');
    assert.equal(await client.append('k', 'xyz'), 4);
    assert.equal(await client.getRange('k', 1, -2), 'xy');
    assert.equal(await client.strLen('k'), 4);
    assert.equal(await client.mSet({ a: '1', b: '2' }), 'OK');
    assert.deepEqual(await client.mGet(['a', 'b', 'c']), ['1', '2', null]);
    assert.equal(await client.incrBy('a', 41), 42);
    assert.equal(await client.incrByFloat('a', 0.5), '42.5');
    assert.equal(await client.getDel('b'), '2');
    assert.equal(await client.exists(['a', 'b', 'k']), 2);
    assert.equal(await client.del(['a', 'b', 'k']), 2);
    assert.equal(await client.dbSize(), 0);
    assert.deepEqual({ ...await client.configGet('maxclients') }, { maxclients: '10000' });
    assert.equal((await client.clientInfo()).resp, Number(protocol));
    await client.close();
  },

  async expiry(port, protocol) {
    const client = await connect(port, protocol);
    await client.set('k', 'v', { expiration: { type: 'EX', value: 100 } });
    assert.ok([99, 100].includes(await client.ttl('k')));
    assert.equal(await client.persist('k'), 1);
    assert.equal(await client.ttl('k'), -1);
    assert.equal(await client.pExpire('k', 30), 1);
    await gone(() => client.get('k'));
    assert.equal(await client.ttl('k'), -2);
  },

  async multi(port, protocol) {
    const client = await connect(port, protocol);
    const other = await connect(port, protocol);
    assert.deepEqual(await client.multi().set('k', '1').incr('k').get('k').exec(), ['OK', 2, '2']);
    await client.watch('k');
    await other.set('k', '10');
    await assert.rejects(client.multi().set('k', '3').exec(), { name: 'Error',
      message: 'One (or more) of the watched keys has been changed' });
    assert.equal(await client.get('k'), '10');
    await client.watch('k');
    assert.deepEqual(await client.multi().incr('k').exec(), [11]);
    await assert.rejects(client.multi().set('t', '1').addCommand(['nonsense']).exec(),
      /unknown command/);  // node-redis shows the first error instead of EXECABORT
    assert.equal(await client.get('t'), null);
  },

  async begin(port, protocol) {
    const client = await connect(port, protocol);  // a connection of its own
    const other = await connect(port, protocol);
    await other.set('k', '1');
    assert.ok(await client.sendCommand(['BEGIN']) > 0);
    assert.equal(await client.incr('k'), 2);
    assert.equal(await other.get('k'), '1');
    assert.match(await client.sendCommand(['COMMIT']), /^[0-9]+$/);
    assert.equal(await other.get('k'), '2');
    await client.sendCommand(['BEGIN']);
    assert.equal(await client.get('k'), '2');
    await other.set('k', '7');
    await client.set('k', '3');
    await assert.rejects(client.sendCommand(['COMMIT']), /CONFLICT /);
    assert.equal(await client.get('k'), '7');
    await client.sendCommand(['BEGIN']);
    await client.set('k', 'never');
    assert.equal(await client.sendCommand(['ROLLBACK']), 'OK');
    assert.equal(await client.get('k'), '7');
  },

  async handles(port, protocol) {
    const client = await connect(port, protocol);
    const transaction = (...words) => client.sendCommand(['TXN', ...words.map(String)]);
    const [first, second] = await Promise.all([transaction('BEGIN'), transaction('BEGIN')]);
    assert.notEqual(first, second);
    assert.equal(await transaction('RUN', first, 'SET', 'k', 'first'), 'OK');
    assert.equal(await transaction('RUN', first, 'GET', 'k'), 'first');
    assert.equal(await transaction('RUN', second, 'GET', 'k'), null);
    assert.equal(await client.get('k'), null);
    await transaction('RUN', second, 'SET', 'k', 'second');
    assert.match(await transaction('COMMIT', first), /^[0-9]+$/);
    await assert.rejects(transaction('COMMIT', second), /CONFLICT /);
    await assert.rejects(transaction('RUN', second, 'GET', 'k'), /NOTXN /);
    assert.equal(await client.get('k'), 'first');
  },

  async pipeline(port, protocol) {
    const client = await connect(port, protocol);
    const numbers = [...Array(1000).keys()];
    const pipeline = client.multi();
    numbers.forEach((i) => (i % 2 === 0 ? pipeline.set(`k${i}`, `${i}`)
      : pipeline.get(`k${i - 1}`)));
    assert.deepEqual(await pipeline.execAsPipeline(),
      numbers.map((i) => (i % 2 === 0 ? 'OK' : `${i - 1}`)));
    const counted = await Promise.all(numbers.map(() => client.incr('n')));
    assert.deepEqual(counted, numbers.map((i) => i + 1));
  },

  async scan(port, protocol) {
    const client = await connect(port, protocol);
    const names = [...Array(5000).keys()].map((i) => `k${i}`);
    await client.mSet(names.map((name) => [name, '1']));
    await client.set('other', '1');
    for (const [match, expected] of [['k*', names], ['k1*', names.filter((n) => n[1] === '1')],
      ['none*', []]]) {
      const found = [];
      for await (const some of client.scanIterator({ MATCH: match, COUNT: 100 })) {
        found.push(...some);
      }
      assert.deepEqual(found.sort(), [...expected].sort());
    }
  },

  async errors(port, protocol) {
    const client = await connect(port, protocol);
    await client.set('k', 'text');
    await assert.rejects(client.incr('k'),
      { message: 'ERR value is not an integer or out of range' });
    await assert.rejects(client.incrByFloat('k', 1), { message: 'ERR value is not a valid float' });
    await assert.rejects(client.sendCommand(['nonsense', 'a', 'b']),
      { message: "ERR unknown command 'nonsense', with args beginning with: 'a' 'b' " });
    await assert.rejects(client.sendCommand(['GET']),
      { message: "ERR wrong number of arguments for 'get' command" });
    await assert.rejects(client.hSet('h', 'field', '1'));
    assert.equal(await client.get('k'), 'text');
  },

  async reconnect(port, protocol) {
    const client = await connect(port, protocol);
    await reconnect((key, value) => client.set(key, value), (key) => client.get(key));
    assert.equal((await client.clientInfo()).resp, Number(protocol));
  },
});
