// What is done offline: it is kept, also when the page is closed, and done once when the server is there again.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { TaskwardError, createTaskwardClient } from 'taskward-client'

import { batches, failure, keyOf, memory, open, titles, until, user } from './collection.js'
import { type Server, startTaskward } from './support.js'

let server: Server
before(async () => (server = await startTaskward()))
after(() => server?.stop())

test('a server is killed; what the user does meanwhile is sent once when it is back, in one batch', async (t) => {
  const own = await startTaskward()
  t.after(() => own.stop())
  const { taskward, others, sent } = await user(t, own, 'alice')
  for (const title of ['Bread', 'Milk', 'Eggs']) await others.createTask({ body: { title } })
  const { tasks } = open(t, { taskward })
  await tasks.preload()
  await own.kill()

  const transactions = [
    tasks.insert({ title: 'Butter' }),
    tasks.update(keyOf(tasks, 'Bread'), (draft) => void (draft.title = 'Brown bread')),
    tasks.delete(keyOf(tasks, 'Milk')),
  ]
  assert.deepEqual(titles(tasks), ['Brown bread', 'Butter', 'Eggs'])
  assert.equal(tasks.utils.pending(), 3)
  await own.restart()
  await Promise.all(transactions.map((transaction) => transaction.isPersisted.promise))

  const { data } = await others.listTasks()
  assert.deepEqual(data.items.map(({ title }) => title).sort(), ['Brown bread', 'Butter', 'Eggs'])
  assert.deepEqual(titles(tasks), ['Brown bread', 'Butter', 'Eggs'])
  assert.equal(tasks.utils.pending(), 0)
  const { data: changes } = await others.listChanges()
  assert.equal(changes.next, 6, 'something was done twice')
  assert.equal(batches(sent).filter(({ status }) => status === 200).length, 1)
})

test('a change whose answer is lost is sent again, and done once', async (t) => {
  const { taskward, others, lost } = await user(t, server, 'lost')
  const { tasks, refusals } = open(t, { taskward })
  await tasks.preload()
  lost.answers = 1
  await tasks.insert({ title: 'Milk' }).isPersisted.promise
  const key = keyOf(tasks, 'Milk')
  lost.answers = 1
  await tasks.update(
    key,
    (draft) => void Object.assign(draft, { title: 'Oat milk', due_date: '2026-02-06T10:00:00+01:00' }),
  ).isPersisted.promise
  assert.equal(tasks.get(key)?.due_date, '2026-02-06T09:00:00Z')
  lost.answers = 1
  await tasks.delete(key).isPersisted.promise
  assert.deepEqual((await others.listChanges()).data.next, 3)
  assert.deepEqual([refusals, lost.answers < 0], [[], true])
})

test('a change waits for the creation of its task, so it does not overwrite what others did in between', async (t) => {
  const { taskward, others, lost } = await user(t, server, 'in between')
  const { tasks } = open(t, { taskward })
  await tasks.preload()
  lost.answers = Infinity
  tasks.insert({ title: 'Milk' })
  const key = keyOf(tasks, 'Milk')
  const change = failure(tasks.update(key, (draft) => void (draft.title = 'Oat milk')))
  while ((await others.listTasks()).data.items.length === 0);
  await others.updateTask({ path: { id: 1 }, body: { title: 'Soy milk' } })
  lost.answers = 0
  assert.ok(TaskwardError.is(await change, 'version_mismatch'))
  await until(tasks, () => tasks.get(key)?.title === 'Soy milk')
})

test('what is done offline outlives the page', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'reload')
  for (const title of ['Bread', 'Milk']) await others.createTask({ body: { title } })
  const storage = memory()
  const outbox = { storage, user: 'reload' }
  const first = open(t, { taskward, outbox })
  await first.tasks.preload()
  offline(true)
  first.tasks.insert({ title: 'Butter' })
  first.tasks.update('1', (draft) => void (draft.title = 'Brown bread'))
  first.tasks.update(keyOf(first.tasks, 'Butter'), (draft) => void (draft.completed = true))
  first.tasks.delete('2')
  assert.equal(storage.size(), 4)

  // The page is closed, and another one opens, still offline.
  first.close()
  const next = await user(t, server, 'reload')
  next.offline(true)
  const second = open(t, { taskward: next.taskward, outbox })
  // What is new shows at once. What it did to other tasks shows with these.
  await until(second.tasks, () => titles(second.tasks).join() === 'Butter')
  next.offline(false)
  await until(second.tasks, () => titles(second.tasks).join() === 'Brown bread,Butter' && storage.size() === 0)
  const { data } = await others.listTasks({ query: { sort: 'title' } })
  assert.deepEqual(
    data.items.map(({ title, completed }) => [title, completed]),
    [
      ['Brown bread', false],
      ['Butter', true],
    ],
  )
  assert.deepEqual(second.refusals, [])
})

test('what an earlier page did, and cannot be done any more, is told', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'told later')
  await others.createTask({ body: { title: 'Bread' } })
  const outbox = { storage: memory(), user: 'told later' }
  const first = open(t, { taskward, outbox })
  await first.tasks.preload()
  offline(true)
  first.tasks.update('1', (draft) => void (draft.title = 'Brown bread'))
  await others.updateTask({ path: { id: 1 }, body: { title: 'White bread' } })
  first.close()

  const { taskward: next } = await user(t, server, 'told later')
  const told = new Promise<unknown>((resolve) => {
    const { tasks } = open(t, { taskward: next, outbox, onRefused: ({ error }) => resolve(error) })
    void tasks.preload()
  })
  const error = await told
  assert.ok(TaskwardError.is(error, 'version_mismatch'), String(error))
  assert.equal(error.current.title, 'White bread')
  assert.equal(outbox.storage.size(), 0)
})

test('users of one browser do not get each other’s changes', async (t) => {
  const storage = memory()
  const alice = await user(t, server, 'storage of alice')
  const first = open(t, { taskward: alice.taskward, outbox: { storage, user: 'alice' } })
  await first.tasks.preload()
  alice.offline(true)
  first.tasks.insert({ title: 'For Alice' })

  const bob = await user(t, server, 'storage of bob')
  const second = open(t, { taskward: bob.taskward, outbox: { storage, user: 'bob' } })
  await second.tasks.preload()
  await second.tasks.insert({ title: 'For Bob' }).isPersisted.promise
  assert.deepEqual(titles(second.tasks), ['For Bob'])
  assert.equal(storage.size(), 1)
})

test('changes wait while the token is not accepted, and are sent after sign-in', async (t) => {
  const session = { token: await server.token('lapsed') }
  const taskward = createTaskwardClient({ baseUrl: server.url, token: () => session.token })
  const { tasks, refusals } = open(t, { taskward })
  await tasks.preload()
  const good = session.token
  session.token = 'expired'
  const transaction = tasks.insert({ title: 'Milk' })
  // The stream ends only with its own token, so this is the outbox alone.
  await assert.rejects(taskward.getMe(), (error) => TaskwardError.is(error) && error.status === 401)
  session.token = good
  tasks.utils.retry()
  await transaction.isPersisted.promise
  assert.deepEqual(refusals, [])
})

test('a change that cannot be stored is refused, instead of being lost with the page', async (t) => {
  const { taskward, others } = await user(t, server, 'full')
  const full = new DOMException('The quota has been exceeded.', 'QuotaExceededError')
  for (const set of [() => Promise.reject(full), () => assert.fail(full)]) {
    const storage = { ...memory(), set }
    const { tasks, refusals } = open(t, { taskward, outbox: { storage, user: 'full' } })
    await tasks.preload()
    assert.equal(await failure(tasks.insert({ title: 'Milk' })), full)
    assert.equal(refusals.length, 1)
    assert.equal(tasks.size, 0)
  }
  assert.deepEqual((await others.listTasks()).data.items, [])
})

test('what is rolled back before it was sent is not sent', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'rolled back')
  const storage = memory()
  const { tasks } = open(t, { taskward, outbox: { storage, user: 'rolled back' } })
  await tasks.preload()
  offline(true)
  const undone = tasks.insert({ title: 'Milk' })
  const kept = tasks.insert({ title: 'Bread' })
  undone.rollback()
  offline(false)
  await kept.isPersisted.promise
  const { data } = await others.listTasks()
  assert.deepEqual(
    data.items.map(({ title }) => title),
    ['Bread'],
  )
  assert.equal(storage.size(), 0)
})
