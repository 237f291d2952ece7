// The usual calls of an agent, by the official TypeScript SDKs: tests/mcp/run

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { SDKS, connect, token, words } from './clients.mjs'

const TOOLS = [
  'add_tasks', 'complete_tasks', 'delete_tasks', 'find_tasks', 'get_overview', 'get_task', 'restore_tasks', 'update_tasks',
]

for (const [name, sdk] of Object.entries(SDKS)) {
  describe(`the SDK ${name}`, () => {
    const person = (who) => `${who} by ${name}`
    let alice, bob
    before(async () => {
      alice = await connect(sdk, token(person('alice')))
      bob = await connect(sdk, token(person('bob')))
    })
    after(async () => {
      await alice?.close()
      await bob?.close()
    })
    const titles = async (user, args) => (await user.call('find_tasks', args)).structuredContent.tasks.map((task) => task.title)

    test('speaks the revision that it should', () => assert.equal(alice.revision, sdk.revision))

    test('finds tools that say what they do', async () => {
      const { tools } = await alice.client.listTools()
      assert.deepEqual(tools.map((tool) => tool.name).sort(), TOOLS)
      for (const { name, description, inputSchema, outputSchema, annotations } of tools) {
        assert.ok(description.length > 20, name)
        assert.deepEqual([inputSchema.type, outputSchema.type], ['object', 'object'], name)
        assert.ok(!('user_id' in inputSchema.properties), `${name} lets the model say who it is`)
        const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = annotations
        for (const hint of [readOnlyHint, destructiveHint, idempotentHint, openWorldHint]) assert.equal(typeof hint, 'boolean', name)
        assert.equal(readOnlyHint, ['find_tasks', 'get_task', 'get_overview'].includes(name), name)
      }
    })

    test('holds a conversation: add, find, update, complete, delete, undo', async () => {
      const tasks = [
        { title: 'Buy milk', tags: ['shopping'], due_date: '2026-02-06' },
        { title: 'Call mum', priority: 'high' },
        { title: 'Buy a yacht' },
      ]
      const added = await alice.call('add_tasks', { tasks })
      assert.ok(!added.isError, words(added))
      const ids = added.structuredContent.results.map((result) => result.task.id)
      assert.deepEqual(ids, [1, 2, 3])
      assert.deepEqual(await titles(alice, { q: 'buy', sort: 'title' }), ['Buy a yacht', 'Buy milk'])

      const updated = await alice.call('update_tasks', { tasks: [{ id: 1, title: 'Buy oat milk', due_date: null }] })
      const [{ task, before }] = updated.structuredContent.results
      assert.equal(task.title, 'Buy oat milk')
      // The old values, so that a person can undo the change.
      assert.deepEqual(before, { title: 'Buy milk', due_date: '2026-02-06' })
      await alice.call('update_tasks', { tasks: [{ id: 1, ...before }] })
      assert.deepEqual(await titles(alice, { tag: 'shopping', sort: 'title' }), ['Buy milk'])
      await alice.call('update_tasks', { tasks: [{ id: 1, title: 'Buy oat milk' }] })

      await alice.call('complete_tasks', { ids: [1, 2] })
      assert.deepEqual(await titles(alice, { completed: false }), ['Buy a yacht'])
      const one = await alice.call('get_task', { id: 2 })
      assert.deepEqual([one.structuredContent.completed, one.structuredContent.priority], [true, 'high'])

      const deleted = await alice.call('delete_tasks', { ids: [2, 3] })
      assert.ok(!deleted.isError, words(deleted))
      assert.match(words(deleted), /restore_tasks/)
      assert.deepEqual(await titles(alice), ['Buy oat milk'])
      await alice.call('restore_tasks', { ids: [2] })
      assert.deepEqual(await titles(alice, { sort: 'title' }), ['Buy oat milk', 'Call mum'])

      const overview = await alice.call('get_overview', { time_zone: 'Europe/Berlin' })
      assert.deepEqual([overview.structuredContent.open, overview.structuredContent.done], [0, 2])
    })

    test('keeps two people apart', async () => {
      assert.deepEqual(await titles(bob), [])
      const looked = await bob.call('get_task', { id: 1 })
      assert.equal(looked.isError, true)
      for (const [tool, args] of Object.entries({
        update_tasks: { tasks: [{ id: 1, title: 'mine' }] },
        complete_tasks: { ids: [1] },
        delete_tasks: { ids: [1] },
        restore_tasks: { ids: [3] },
      })) {
        assert.equal((await bob.call(tool, args)).isError, true, tool)
      }
      assert.deepEqual(await titles(alice, { sort: 'title' }), ['Buy oat milk', 'Call mum'])
      // The same number is another task.
      await bob.call('add_tasks', { tasks: [{ title: 'Feed the cat' }] })
      assert.equal((await bob.call('get_task', { id: 1 })).structuredContent.title, 'Feed the cat')
      assert.equal((await alice.call('get_task', { id: 1 })).structuredContent.title, 'Buy oat milk')
    })

    test('can retry add_tasks without adding twice', async () => {
      const carol = await connect(sdk, token(person('carol')))
      const args = { tasks: [{ title: 'Water the plants' }, { title: 'Pay the rent' }], request_id: 'turn-7' }
      const first = await carol.call('add_tasks', args)
      const again = await carol.call('add_tasks', args)
      const seen = (result) => result.structuredContent.results.map((item) => [item.task.id, item.replayed ?? false])
      assert.deepEqual(seen(first), [[1, false], [2, false]])
      assert.deepEqual(seen(again), [[1, true], [2, true]])
      assert.equal((await titles(carol)).length, 2)
      // Somebody else's request of the same name is another one.
      const dave = await connect(sdk, token(person('dave')))
      assert.deepEqual(seen(await dave.call('add_tasks', args)), [[1, false], [2, false]])
      await carol.close()
      await dave.close()
    })

    test('gets faults as text', async () => {
      const wrong = [
        ['get_task', { id: 4711 }, /4711/],
        ['add_tasks', { tasks: [{ title: '' }] }, /title/],
        ['add_tasks', { tasks: [{ title: 'x', due_date: 'some day' }] }, /due_date|some day/],
        ['find_tasks', { colour: 'red' }, /colour/],
        ['complete_tasks', { ids: [] }, /ids/],
        ['delete_tasks', {}, /ids/],
      ]
      for (const [tool, args, expected] of wrong) {
        const result = await alice.call(tool, args)
        assert.equal(result.isError, true, `${tool} ${JSON.stringify(args)}`)
        assert.match(words(result), expected)
        assert.ok(words(result).length < 500, words(result))
      }
      await assert.rejects(alice.call('drop_tables'), /drop_tables|[Tt]ool/)
    })

    test('validates answers against the schema', async () => {
      const spoilt = (text) => text.replaceAll('"total":', '"summe":')
      const mallory = await connect(sdk, token(person('alice')), spoilt)
      await mallory.client.listTools()
      await assert.rejects(mallory.call('find_tasks'), /schema/i)
      await mallory.close()
    })

    test('cannot write with a read-only token, nor connect without a token', async () => {
      const reader = await connect(sdk, token(person('alice'), 'tasks:read'))
      assert.deepEqual(await titles(reader, { sort: 'title' }), ['Buy oat milk', 'Call mum'])
      await assert.rejects(reader.call('delete_tasks', { ids: [1] }), /403|insufficient_scope|tasks:write/)
      assert.equal((await titles(alice)).length, 2)
      await reader.close()
      await assert.rejects(connect(sdk, undefined), /401|[Uu]nauthorized|token_missing/)
    })
  })
}
