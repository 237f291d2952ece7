// The collection of TanStack DB against the real server: what the user does shows at once, and what others do comes in.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { createTransaction } from '@tanstack/db'
import { type Task, TaskwardError, createTaskwardClient } from 'taskward-client'

import { batches, failure, keyOf, open, titles, until, user } from './collection.js'
import { type Server, startTaskward } from './support.js'

let server: Server
// A user may have 150 tasks, and so no more than 150 tombstones: deleting more purges the oldest.
before(async () => (server = await startTaskward({ MAX_TASKS_PER_USER: '150' })))
after(() => server?.stop())

test('what is inserted shows at once, and keeps its key and its row when the server has answered', async (t) => {
  const { taskward, others } = await user(t, server, 'insert')
  const { tasks, events } = open(t, { taskward })
  await tasks.preload()
  const transaction = tasks.insert({ title: 'Milk' })
  const [row] = tasks.toArray
  assert.ok(row?.uid)
  assert.deepEqual([row.title, row.id, row.version, row.priority, row.tags], ['Milk', 0, 0, 'medium', []])

  await transaction.isPersisted.promise
  const { data } = await others.getTask({ path: { id: 1 } })
  const persisted = tasks.get(row.uid)
  assert.deepEqual({ ...persisted, ...data }, { ...persisted })
  assert.equal(tasks.size, 1)
  // The row never went away: one insert, and updates.
  assert.equal(events[0], `insert ${row.uid} Milk`)
  assert.deepEqual(new Set(events.slice(1)), new Set([`update ${row.uid} Milk`]))
})

test('no row flickers when several are inserted before the first is answered', async (t) => {
  const { taskward } = await user(t, server, 'several')
  const { tasks, events } = open(t, { taskward })
  await tasks.preload()
  const transactions = ['Milk', 'Eggs', 'Bread'].map((title) => tasks.insert({ title }))
  await Promise.all(transactions.map((transaction) => transaction.isPersisted.promise))
  assert.deepEqual(titles(tasks), ['Bread', 'Eggs', 'Milk'])
  assert.equal(events.filter((event) => event.startsWith('insert')).length, 3)
  assert.equal(events.filter((event) => event.startsWith('delete')).length, 0)
})

test('a collection has what there is, and what others create, change and delete', async (t) => {
  const { taskward, others } = await user(t, server, 'others')
  await others.createTask({ body: { title: 'Bread' } })
  const { tasks, events } = open(t, { taskward })
  await tasks.preload()
  assert.deepEqual(titles(tasks), ['Bread'])

  const uid = 'a3b07384-d113-4c39-9cf5-0a6f3c1f2b7a'
  await others.createTask({ body: { title: 'Butter', uid } })
  await until(tasks, () => tasks.has(uid))
  await others.updateTask({ path: { id: 1 }, body: { title: 'Brown bread' } })
  await until(tasks, () => tasks.get('1')?.title === 'Brown bread')
  await others.deleteTask({ path: { id: 1 } })
  await until(tasks, () => !tasks.has('1'))
  assert.deepEqual(events, ['insert 1 Bread', `insert ${uid} Butter`, 'update 1 Brown bread', 'delete 1 Brown bread'])
})

test('changes and deletions show at once, and are persisted when they have come back', async (t) => {
  const { taskward, others, sent } = await user(t, server, 'change')
  await others.createTask({ body: { title: 'Bread', due_date: '2026-02-06' } })
  const { tasks } = open(t, { taskward })
  await tasks.preload()
  const change = tasks.update('1', (draft) => {
    draft.completed = true
    draft.tags = ['home']
  })
  assert.equal(tasks.get('1')?.completed, true)
  await change.isPersisted.promise
  const { data: changed } = await others.getTask({ path: { id: 1 } })
  assert.deepEqual([changed.completed, changed.tags, changed.due_date], [true, ['home'], '2026-02-06'])
  assert.equal(tasks.get('1')?.version, changed.version)

  // What the server does not keep is not sent.
  sent.length = 0
  await tasks.update('1', (draft) => void (draft.updated_at = '2026-01-01T00:00:00Z')).isPersisted.promise
  assert.equal(batches(sent).length, 0)

  const deletion = tasks.delete('1')
  assert.equal(tasks.size, 0)
  await deletion.isPersisted.promise
  assert.equal((await others.listTasks()).data.items.length, 0)
  assert.equal(tasks.size, 0)

  // To insert a task that was deleted is to undo that.
  await tasks.insert(changed).isPersisted.promise
  assert.deepEqual([...tasks.keys()], ['1'])
  assert.equal((await others.getTask({ path: { id: 1 } })).data.title, 'Bread')
})

test('a task can be changed and deleted before its creation has been answered', async (t) => {
  const { taskward, others, sent } = await user(t, server, 'hasty')
  const { tasks, events, refusals } = open(t, { taskward })
  await tasks.preload()
  tasks.insert({ title: 'Milk' })
  tasks.insert({ title: 'Eggs' })
  const [milk, eggs] = [keyOf(tasks, 'Milk'), keyOf(tasks, 'Eggs')]
  tasks.update(milk, (draft) => void (draft.title = 'Oat milk'))
  const last = [tasks.update(milk, (draft) => void (draft.completed = true)), tasks.delete(eggs)]
  await Promise.all(last.map((transaction) => transaction.isPersisted.promise))
  const { data } = await others.listTasks()
  assert.deepEqual(
    data.items.map(({ title, completed, uid }) => [title, completed, uid]),
    [['Oat milk', true, milk]],
  )
  assert.deepEqual(titles(tasks), ['Oat milk'])
  assert.deepEqual(refusals, [])
  // One batch for each change of one task: none was refused and sent again.
  assert.ok(batches(sent).length <= 4, `${batches(sent).length} batches`)
  assert.deepEqual(
    events.filter((event) => event.startsWith('delete')),
    [`delete ${eggs} Eggs`],
  )
})

test('what others have changed meanwhile is kept, if it is not the same', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'merge')
  await others.createTask({ body: { title: 'Bread' } })
  const { tasks, refusals } = open(t, { taskward })
  await tasks.preload()
  offline(true)
  await others.updateTask({ path: { id: 1 }, body: { tags: ['home'], priority: 'high' } })
  const change = tasks.update('1', (draft) => {
    draft.title = 'Brown bread'
    draft.priority = 'high'
  })
  offline(false)
  await change.isPersisted.promise
  const { data } = await others.getTask({ path: { id: 1 } })
  assert.deepEqual([data.title, data.tags, data.priority], ['Brown bread', ['home'], 'high'])
  assert.deepEqual({ ...tasks.get('1'), ...data }, { ...tasks.get('1') })
  assert.deepEqual(refusals, [])
})

test('a conflict is told, with the task as it is, and the row goes back to that', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'conflict')
  await others.createTask({ body: { title: 'Bread' } })
  await others.createTask({ body: { title: 'Milk' } })
  await others.createTask({ body: { title: 'Eggs' } })
  const { tasks, refusals } = open(t, { taskward })
  await tasks.preload()
  offline(true)
  await others.updateTask({ path: { id: 1 }, body: { title: 'White bread' } })
  await others.updateTask({ path: { id: 2 }, body: { title: 'Oat milk' } })
  await others.deleteTask({ path: { id: 3 } })
  const change = tasks.update('1', (draft) => void (draft.title = 'Brown bread'))
  // It was made on top of a change that is refused.
  const followUp = tasks.update('1', (draft) => void (draft.completed = true))
  const deletion = tasks.delete('2')
  const ofDeleted = tasks.update('3', (draft) => void (draft.completed = true))
  // That both deleted the same is no conflict.
  await others.createTask({ body: { title: 'Salt' } })

  const errors = Promise.all([change, deletion, ofDeleted, followUp].map(failure))
  offline(false)
  const [changed, deleted, missing] = await errors
  assert.ok(TaskwardError.is(changed, 'version_mismatch'), String(changed))
  assert.equal(changed.current.title, 'White bread')
  assert.ok(TaskwardError.is(deleted, 'version_mismatch'), String(deleted))
  assert.equal(deleted.current.title, 'Oat milk')
  assert.ok(TaskwardError.is(missing, 'task_not_found'), String(missing))
  await until(tasks, () => titles(tasks).join() === 'Oat milk,Salt,White bread')
  assert.equal(tasks.get('1')?.completed, false)
  assert.equal((await others.getTask({ path: { id: 1 } })).data.completed, false)
  assert.deepEqual(refusals.flatMap(({ changes }) => changes.map(({ op, key }) => `${op} ${key}`)).sort(), [
    'delete 2',
    'update 1',
    'update 1',
    'update 3',
  ])
})

test('a task that both have deleted is deleted', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'both')
  await others.createTask({ body: { title: 'Bread' } })
  const { tasks } = open(t, { taskward })
  await tasks.preload()
  offline(true)
  await others.deleteTask({ path: { id: 1 } })
  const deletion = tasks.delete('1')
  offline(false)
  await deletion.isPersisted.promise
  assert.equal(tasks.size, 0)
})

test('what the server refuses is told with its faults, and goes out again', async (t) => {
  const { taskward } = await user(t, server, 'refused')
  const { tasks, refusals } = open(t, { taskward })
  await tasks.preload()
  const error = await failure(tasks.insert({ title: '' }))
  assert.ok(TaskwardError.is(error, 'validation_failed'), String(error))
  assert.deepEqual([error.status, error.errors.length], [422, 1])
  assert.equal(tasks.size, 0)
  assert.equal(refusals[0]?.error, error)
  await tasks.insert({ title: 'The next one' }).isPersisted.promise
})

test('a transaction of several changes is done as a whole or not at all', async (t) => {
  const { taskward, others, sent } = await user(t, server, 'together')
  await others.createTask({ body: { title: 'Bread' } })
  const { tasks } = open(t, { taskward })
  await tasks.preload()
  const together = (title: string) =>
    createTransaction({ mutationFn: tasks.utils.commit }).mutate(() => {
      tasks.insert({ title })
      tasks.update('1', (draft) => void (draft.completed = true))
    })
  assert.ok(TaskwardError.is(await failure(together(' ')), 'validation_failed'))
  assert.deepEqual(titles(tasks), ['Bread'])
  assert.equal((await others.getTask({ path: { id: 1 } })).data.completed, false)

  sent.length = 0
  await together('Milk').isPersisted.promise
  assert.equal(batches(sent).length, 1)
  assert.deepEqual(titles(tasks), ['Bread', 'Milk'])
  assert.equal((await others.getTask({ path: { id: 1 } })).data.completed, true)
})

test('what others do to a task of a transaction is told, and nothing of it is done', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'together in conflict')
  await others.createTask({ body: { title: 'Bread' } })
  await others.createTask({ body: { title: 'Milk' } })
  const { tasks } = open(t, { taskward })
  await tasks.preload()
  offline(true)
  await others.updateTask({ path: { id: 2 }, body: { completed: true, title: 'Oat milk' } })
  const rename = (titles: string[]) =>
    createTransaction({ mutationFn: tasks.utils.commit }).mutate(() => {
      for (const [index, title] of titles.entries()) tasks.update(`${index + 1}`, (draft) => void (draft.title = title))
    })
  const refused = failure(rename(['Brown bread', 'Soy milk']))
  offline(false)
  assert.ok(TaskwardError.is(await refused, 'version_mismatch'))
  await until(tasks, () => titles(tasks).join() === 'Bread,Oat milk')
  assert.equal((await others.getTask({ path: { id: 1 } })).data.version, 1)
  await rename(['Brown bread', 'Soy milk']).isPersisted.promise
})

test('many changes go in batches of 100, and of less than a mebibyte', async (t) => {
  const { taskward, sent } = await user(t, server, 'many')
  const { tasks } = open(t, { taskward })
  await tasks.preload()
  await tasks.insert(Array.from({ length: 120 }, (_, n) => ({ title: `${n}` }))).isPersisted.promise
  assert.equal(batches(sent).length, 2)
  const long = { title: 'Long', description: '🍮'.repeat(10_000) }
  await tasks.insert(Array.from({ length: 30 }, () => long)).isPersisted.promise
  assert.equal(batches(sent).length, 4)
  assert.ok(batches(sent).every(({ status }) => status === 200))
  assert.equal(tasks.size, 150)
})

test('if deletions are no longer known, the rows are replaced in one step, and what waits is not lost', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'resync')
  await others.createTask({ body: { title: 'stays' } })
  await others.createTask({ body: { title: 'goes' } })
  const { tasks, events } = open(t, { taskward })
  await tasks.preload()
  await until(tasks, () => tasks.size === 2)

  offline(true)
  const waiting = tasks.insert({ title: 'offline' })
  await others.deleteTask({ path: { id: 2 } })
  for (let round = 0; round < 2; round += 1) {
    const creations = Array.from({ length: 90 }, (_, n) => ({ op: 'create' as const, task: { title: `${n}` } }))
    const { data } = await others.batchTasks({ body: { operations: creations } })
    const deletions = data.results.map(({ task }) => ({ op: 'delete' as const, id: (task as Task).id }))
    await others.batchTasks({ body: { operations: deletions } })
  }
  const seen: string[] = []
  tasks.subscribeChanges(() => seen.push(titles(tasks).join()))
  events.length = 0
  offline(false)
  await waiting.isPersisted.promise
  await until(tasks, () => titles(tasks).join() === 'offline,stays')
  // Nobody has seen it half empty.
  assert.deepEqual(
    seen.filter((rows) => !/^(goes,)?offline,stays$/.test(rows)),
    [],
  )
})

test('after everything was erased elsewhere, no old row is left, and what was created offline is kept', async (t) => {
  const { taskward, others, offline } = await user(t, server, 'erased')
  await others.createTask({ body: { title: 'one' } })
  await others.createTask({ body: { title: 'two' } })
  const { tasks, refusals } = open(t, { taskward })
  await tasks.preload()
  await until(tasks, () => tasks.size === 2)
  offline(true)
  const change = tasks.update('1', (draft) => void (draft.title = 'changed'))
  const creation = tasks.insert({ title: 'offline' })
  await others.deleteMyData()
  offline(false)
  const refused = await failure(change)
  assert.ok(TaskwardError.is(refused, 'task_not_found'), String(refused))
  await creation.isPersisted.promise
  await until(tasks, () => titles(tasks).join() === 'offline')
  assert.equal(refusals.length, 1)
})

test('a collection whose token is refused says so, and goes on after `retry`', async (t) => {
  const good = await server.token('signs in late')
  const session: { token: string | undefined } = { token: undefined }
  const taskward = createTaskwardClient({ baseUrl: server.url, token: () => session.token })
  const refusal = new Promise((resolve) => {
    const { tasks } = open(t, { taskward, onError: (error) => resolve([tasks, error]) })
    void tasks.preload().catch(() => {})
  })
  const [tasks, error] = (await refusal) as [ReturnType<typeof open>['tasks'], unknown]
  assert.ok(TaskwardError.is(error, 'token_missing'), String(error))
  assert.equal(tasks.status, 'error')

  session.token = good
  tasks.utils.retry()
  await until(tasks, () => tasks.isReady())
  await tasks.insert({ title: 'Signed in' }).isPersisted.promise
  assert.deepEqual(titles(tasks), ['Signed in'])
})
