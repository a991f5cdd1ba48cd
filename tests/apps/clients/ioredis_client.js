// The scenarios with ioredis.
'use strict';
const Redis = require('ioredis');
const { assert, gone, reconnect, main } = require('./scenario.js');

function connect(port, more = {}) {
  const client = new Redis({ host: '127.0.0.1', port, ...more });
  client.on('error', () => {});  // a failed command tells its caller
  return client;
}

main({
  async strings(port) {
    const client = connect(port);
    const bytes = Buffer.from([...Array(256).keys()]);
    assert.equal(await client.set('k', bytes), 'OK');
    assert.deepEqual(await client.getBuffer('k'), bytes);
    assert.equal(await client.get('none'), null);
    assert.equal(await client.set('k', 'w', 'NX'), null);
    assert.equal(await client.set('k', 'w'), 'OK');
    assert.equal(await client.append('k', 'xyz'), 4);
    assert.equal(await client.getrange('k', 1, -2), 'xy');
    assert.equal(await client.strlen('k'), 4);
    assert.equal(await client.mset({ a: 1, b: 2 }), 'OK');
    assert.deepEqual(await client.mget('a', 'b', 'c'), ['1', '2', null]);
    assert.equal(await client.incrby('a', 41), 42);
    assert.equal(await client.incrbyfloat('a', 0.5), '42.5');
    assert.equal(await client.getdel('b'), '2');
    assert.equal(await client.exists('a', 'b', 'k'), 2);
    assert.equal(await client.del('a', 'b', 'k'), 2);
    assert.equal(await client.dbsize(), 0);
    assert.equal(await client.quit(), 'OK');
  },

  async expiry(port) {
    const client = connect(port);
    await client.set('k', 'v', 'EX', 100);
    assert.ok([99, 100].includes(await client.ttl('k')));
    assert.equal(await client.persist('k'), 1);
    assert.equal(await client.ttl('k'), -1);
    assert.equal(await client.pexpire('k', 30), 1);
    await gone(() => client.get('k'));
    assert.equal(await client.ttl('k'), -2);
  },

  async multi(port) {
    const client = connect(port);
    const other = connect(port);
    assert.deepEqual(await client.multi().set('k', 1).incr('k').get('k').exec(),
      [[null, 'OK'], [null, 2], [null, '2']]);
    await client.watch('k');
    await other.set('k', 10);
    assert.equal(await client.multi().set('k', 3).exec(), null);
    assert.equal(await client.get('k'), '10');
    await client.watch('k');
    assert.deepEqual(await client.multi().incr('k').exec(), [[null, 11]]);
    const [first, second] = await client.multi().set('s', 'text').incr('s').exec();
    assert.deepEqual(first, [null, 'OK']);
    assert.match(second[0].message, /^ERR value is not an integer/);
    await assert.rejects(client.multi().set('t', 1).call('nonsense').exec(), /^ReplyError: EXECABORT/);
    assert.equal(await client.get('t'), null);
  },

  async begin(port) {
    const client = connect(port);  // a connection of its own
    const other = connect(port);
    await other.set('k', 1);
    assert.ok(await client.call('BEGIN') > 0);
    assert.equal(await client.incr('k'), 2);
    assert.equal(await other.get('k'), '1');
    assert.match(await client.call('COMMIT'), /^[0-9]+$/);
    assert.equal(await other.get('k'), '2');
    await client.call('BEGIN');
    assert.equal(await client.get('k'), '2');
    await other.set('k', 7);
    await client.set('k', 3);
    await assert.rejects(client.call('COMMIT'), /^ReplyError: CONFLICT /);
    assert.equal(await client.get('k'), '7');
    await client.call('BEGIN');
    await client.set('k', 'never');
    assert.equal(await client.call('ROLLBACK'), 'OK');
    assert.equal(await client.get('k'), '7');
  },

  async handles(port) {
    const client = connect(port);
    const run = (id, ...words) => client.call('TXN', 'RUN', id, ...words);
    const [first, second] = await Promise.all([client.call('TXN', 'BEGIN'),
      client.call('TXN', 'BEGIN')]);
    assert.notEqual(first, second);
    assert.equal(await run(first, 'SET', 'k', 'first'), 'OK');
    assert.equal(await run(first, 'GET', 'k'), 'first');
    assert.equal(await run(second, 'GET', 'k'), null);
    assert.equal(await client.get('k'), null);
    await run(second, 'SET', 'k', 'second');
    assert.match(await client.call('TXN', 'COMMIT', first), /^[0-9]+$/);
    await assert.rejects(client.call('TXN', 'COMMIT', second), /^ReplyError: CONFLICT /);
    await assert.rejects(run(second, 'GET', 'k'), /^ReplyError: NOTXN /);
    assert.equal(await client.get('k'), 'first');
  },

  async pipeline(port) {
    const numbers = [...Array(1000).keys()];
    const client = connect(port);
    const pipeline = client.pipeline();
    numbers.forEach((i) => (i % 2 === 0 ? pipeline.set(`k${i}`, i) : pipeline.get(`k${i - 1}`)));
    assert.deepEqual(await pipeline.exec(),
      numbers.map((i) => [null, i % 2 === 0 ? 'OK' : `${i - 1}`]));
    const counted = await Promise.all(numbers.map(() => client.incr('n')));
    assert.deepEqual(counted, numbers.map((i) => i + 1));
    const automatic = connect(port, { enableAutoPipelining: true });
    const again = await Promise.all(numbers.map(() => automatic.incr('n')));
    assert.deepEqual(again, numbers.map((i) => i + 1001));
  },

  async scan(port) {
    const client = connect(port);
    const names = [...Array(5000).keys()].map((i) => `k${i}`);
    await client.mset(Object.fromEntries(names.map((name) => [name, 1])));
    await client.set('other', 1);
    for (const [match, expected] of [['k*', names], ['k1*', names.filter((n) => n[1] === '1')],
      ['none*', []]]) {
      const found = [];
      for await (const some of client.scanStream({ match, count: 100 })) {
        found.push(...some);
      }
      assert.deepEqual(found.sort(), [...expected].sort());
    }
  },

  async errors(port) {
    const client = connect(port);
    await client.set('k', 'text');
    await assert.rejects(client.incr('k'),
      { message: 'ERR value is not an integer or out of range' });
    await assert.rejects(client.incrbyfloat('k', 1), { message: 'ERR value is not a valid float' });
    await assert.rejects(client.call('nonsense', 'a', 'b'),
      { message: "ERR unknown command 'nonsense', with args beginning with: 'a' 'b' " });
    await assert.rejects(client.call('GET'),
      { message: "ERR wrong number of arguments for 'get' command" });
    await assert.rejects(client.hset('h', 'field', 1), /^ReplyError: /);
    assert.equal(await client.get('k'), 'text');
  },

  async reconnect(port) {
    const client = connect(port, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    await reconnect((key, value) => client.set(key, value), (key) => client.get(key));
  },
});
