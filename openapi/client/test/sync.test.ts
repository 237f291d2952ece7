// A copy of the tasks that stays in step: it always ends up as what the server has.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { type SyncState, type Task, type TaskwardClient, createTaskwardClient, sync } from 'taskward-client'

import { type Server, recordingFetch, startTaskward } from './support.js'

let server: Server
// A user may have 150 tasks, and so no more than 150 tombstones: deleting more purges the oldest.
const LIMIT = 150
before(async () => (server = await startTaskward({ MAX_TASKS_PER_USER: `${LIMIT}` })))
after(() => server?.stop())

async function user(name: string) {
  const recording = recordingFetch()
  const client = createTaskwardClient({ baseUrl: server.url, token: await server.token(name), fetch: recording.fetch })
  return { client, sent: recording.sent }
}

async function make(client: TaskwardClient, titles: string[]): Promise<Task[]> {
  const operations = titles.map((title) => ({ op: 'create' as const, task: { title } }))
  const { data } = await client.batchTasks({ body: { operations } })
  return data.results.map(({ task }) => task as Task)
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => `${n}`)

async function serverState(client: TaskwardClient): Promise<Task[]> {
  const tasks: Task[] = []
  for await (const task of client.paginate({ query: { sort: 'created_at' } })) tasks.push(task)
  return tasks
}

const held = (state: SyncState) => [...state.tasks.values()].sort((a, b) => a.id - b.id)

/** The next states until one has this many tasks. */
async function until(states: AsyncGenerator<SyncState, void>, count: number): Promise<SyncState> {
  for (;;) {
    const { value } = await states.next()
    assert.ok(value, 'the sync has ended')
    if (value.tasks.size === count) return value
  }
}

/** Deletes so many tasks that what was deleted before is no longer known. */
async function forget(client: TaskwardClient) {
  for (let round = 0; round < 2; round += 1) {
    const tasks = await make(client, numbers(90))
    const operations = tasks.map(({ id }) => ({ op: 'delete' as const, id }))
    await client.batchTasks({ body: { operations } })
  }
}

test('the first state has all tasks, and each further one what has changed', async () => {
  const { client, sent } = await user('alice')
  const tasks = [...(await make(client, numbers(100))), ...(await make(client, ['100', '101', '102']))]
  sent.length = 0
  const states = sync(client)
  const first = (await states.next()).value
  assert.ok(first)
  assert.deepEqual(held(first), tasks)
  assert.equal(first.cursor, 103)
  assert.deepEqual(
    sent.map(({ url }) => url.pathname),
    ['/api/v1/changes', '/api/v1/changes'],
  )

  await client.updateTask({ path: { id: 1 }, body: { completed: true } })
  await client.deleteTask({ path: { id: 2 } })
  const later = await until(states, 102)
  assert.deepEqual(held(later), await serverState(client))
  assert.equal(later.cursor, 105)
  assert.equal(first.tasks.size, 103, 'an earlier state has changed')
  await states.return()
})

test('a user without tasks has a state, too', async () => {
  const { client } = await user('newcomer')
  const states = sync(client)
  assert.equal((await states.next()).value?.tasks.size, 0)
  const [task] = await make(client, ['The first'])
  assert.deepEqual(held(await until(states, 1)), [task])
  await states.return()
})

test('a state that was kept goes on where it was', async () => {
  const { client, sent } = await user('kept')
  const [one, two, three] = await make(client, ['1', '2', '3'])
  const states = sync(client)
  const { tasks, cursor } = await until(states, 3)
  await states.return()
  const kept = JSON.parse(JSON.stringify({ tasks: [...tasks.values()], cursor })) as { tasks: Task[]; cursor: number }

  await client.deleteTask({ path: { id: Number(one?.id) } })
  await client.updateTask({ path: { id: Number(two?.id) }, body: { title: 'two' } })
  sent.length = 0
  const again = sync(client, { from: kept })
  const state = await until(again, 2)
  assert.deepEqual(held(state), await serverState(client))
  assert.deepEqual(state.tasks.get(Number(three?.id)), three)
  // Only what has changed was asked for.
  assert.deepEqual(
    sent.map(({ url }) => `${url.pathname}${url.search}`),
    [`/api/v1/events?since=${cursor}`, '/api/v1/tasks?limit=100&sort=created_at'],
  )
  await again.return()
})

for (const how of ['the stream', 'polling']) {
  test(`by ${how}: if deletions are no longer known, all is read again and replaced in one step`, async () => {
    const { client } = await user(`forgetful of ${how}`)
    const options = how === 'polling' ? { pollMs: 10 } : {}
    await make(client, ['stays', 'goes'])
    const states = sync(client, options)
    const before = await until(states, 2)
    await states.return()

    await client.deleteTask({ path: { id: 2 } })
    await forget(client)
    const again = sync(client, { ...options, from: { tasks: before.tasks.values(), cursor: before.cursor } })
    const state = (await again.next()).value
    assert.ok(state)
    assert.deepEqual(
      held(state).map((task) => task.title),
      ['stays'],
    )
    assert.ok(state.cursor > before.cursor)
    // And goes on from there.
    await make(client, ['new'])
    assert.deepEqual(held(await until(again, 2)), await serverState(client))
    await again.return()
  })
}

for (const how of ['the stream', 'polling']) {
  test(`by ${how}: after everything was erased elsewhere, the copy is empty, and goes on`, async () => {
    const { client } = await user(`erased by ${how}`)
    const options = how === 'polling' ? { pollMs: 10 } : {}
    await make(client, ['one', 'two'])
    const states = sync(client, options)
    const kept = await until(states, 2)
    await client.deleteMyData()
    const empty = await until(states, 0)
    assert.ok(empty.cursor > kept.cursor)
    await make(client, ['new'])
    assert.deepEqual(held(await until(states, 1)), await serverState(client))
    await states.return()
    // So is one that was not connected then.
    await client.deleteMyData()
    const again = sync(client, { ...options, from: { tasks: kept.tasks.values(), cursor: kept.cursor } })
    assert.equal((await again.next()).value?.tasks.size, 0)
    await again.return()
  })
}

test('by polling: changes and deletions come with the next answer', async () => {
  const { client, sent } = await user('polling')
  await make(client, ['1', '2'])
  const states = sync(client, { pollMs: 10 })
  await until(states, 2)
  await client.deleteTask({ path: { id: 1 } })
  assert.deepEqual(held(await until(states, 1)), await serverState(client))
  assert.ok(sent.every(({ url }) => url.pathname !== '/api/v1/events'))
  await states.return()
})

test('an abort ends a sync', async () => {
  const { client } = await user('abort')
  for (const options of [{}, { pollMs: 60_000 }]) {
    const controller = new AbortController()
    const states = sync(client, { ...options, signal: controller.signal })
    await states.next()
    await states.next()
    const last = states.next()
    controller.abort()
    assert.equal((await last).done, true)
  }
})
