// A collection that TanStack DB persists: the rows and the revision they belong to are kept together.

import assert from 'node:assert/strict'
import { type TestContext, after, before, test } from 'node:test'

import { createCollection } from '@tanstack/db'
import { persistedCollectionOptions } from '@tanstack/db-sqlite-persistence-core'
import type { Database } from 'sql.js'
import { type TaskCollectionOptions, taskCollectionOptions } from 'taskward-client/tanstack-db'

import { batches, memory, titles, until, user } from './collection.js'
import { newDatabase, persistenceIn } from './sqlite.js'
import { type Server, startTaskward } from './support.js'

let server: Server
before(async () => (server = await startTaskward()))
after(() => server?.stop())

/** A page with a persisted collection, until `close`. */
function openPersisted(t: TestContext, database: Database, options: TaskCollectionOptions) {
  const page = new AbortController()
  const live = new Promise<void>((resolve) => {
    options = { ...options, onState: ({ status }) => status === 'live' && resolve() }
  })
  const own = taskCollectionOptions({ baseDelayMs: 20, maxDelayMs: 100, signal: page.signal, ...options })
  const persisted = persistedCollectionOptions({
    ...own,
    persistence: persistenceIn(database),
    schemaVersion: 1,
  } as never)
  const tasks = createCollection(persisted as unknown as typeof own)
  const close = async () => {
    page.abort()
    await tasks.cleanup()
  }
  t.after(close)
  return { tasks, live, close }
}

test('the next page shows at once what the last one had, and asks only for what has changed since', async (t) => {
  const { taskward, others, sent } = await user(t, server, 'persisted')
  for (const title of ['Bread', 'Milk']) await others.createTask({ body: { title } })
  const database = await newDatabase()
  const first = openPersisted(t, database, { taskward })
  await first.tasks.preload()
  await first.live
  await first.tasks.insert({ title: 'Eggs' }).isPersisted.promise
  await until(first.tasks, () => titles(first.tasks).join() === 'Bread,Eggs,Milk')
  await first.close()

  await others.deleteTask({ path: { id: 2 } })
  sent.length = 0
  const second = openPersisted(t, database, { taskward })
  await second.tasks.preload()
  assert.deepEqual(titles(second.tasks), ['Bread', 'Eggs', 'Milk'])
  await until(second.tasks, () => titles(second.tasks).join() === 'Bread,Eggs')
  // (A page that closes at once may not have kept its last commit.)
  assert.match(sent.map(({ url }) => `${url.pathname}${url.search}`).join(), /^\/api\/v1\/events\?since=[23]$/)
})

test('a page that opens offline has the rows and what was done to them, and sends that later', async (t) => {
  const { taskward, others, offline, sent } = await user(t, server, 'persisted offline')
  for (const title of ['Bread', 'Milk']) await others.createTask({ body: { title } })
  const database = await newDatabase()
  const options = { taskward, outbox: { storage: memory(), user: 'persisted offline' } }
  const first = openPersisted(t, database, options)
  await first.tasks.preload()
  await first.live
  offline(true)
  first.tasks.update('1', (draft) => void (draft.title = 'Brown bread'))
  first.tasks.delete('2')
  first.tasks.insert({ title: 'Butter' })
  await first.close()

  const second = openPersisted(t, database, options)
  await second.tasks.preload()
  await until(second.tasks, () => titles(second.tasks).join() === 'Brown bread,Butter')
  assert.equal(second.tasks.utils.pending(), 3)
  sent.length = 0
  offline(false)
  await until(second.tasks, () => second.tasks.toArray.every(({ version }) => version > 2) && second.tasks.size === 2)
  const { data } = await others.listTasks({ query: { sort: 'title' } })
  assert.deepEqual(
    data.items.map(({ title }) => title),
    ['Brown bread', 'Butter'],
  )
  assert.ok(batches(sent).filter(({ status }) => status === 200).length >= 1)
})
