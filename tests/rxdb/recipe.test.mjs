// The code in docs/rxdb.md, as it stands there, with a real RxDB and a real Taskward.

import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { createRxDatabase } from 'rxdb'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import { createTaskwardClient } from 'taskward-client'

import { startTaskward } from '../support/server.mjs'

const storage = getRxStorageMemory()
let taskward, recipe

before(async () => {
  recipe = await snippets()
  // A user may have 20 tasks, and so no more than 20 tombstones: deleting more purges the oldest.
  taskward = await startTaskward({ RATE_LIMIT: 'off', MAX_TASKS_PER_USER: '20' })
})
after(() => taskward?.stop())

/** What the files export whose code the page has; the first line of a block names its file. */
async function snippets() {
  const page = await readFile(new URL('../../docs/rxdb.md', import.meta.url), 'utf8')
  const folder = new URL('build/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const modules = {}
  for (const [, name, code] of page.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```$/gms)) {
    await writeFile(new URL(name, folder), code)
    Object.assign(modules, await import(new URL(name, folder).href))
  }
  return modules
}

/** A device of the user: a database of its own, whose connection can be switched off. */
async function device(t, user, name = `${user}-${Math.random()}`) {
  const others = createTaskwardClient({ baseUrl: taskward.url, token: await taskward.token(user) })
  const network = { isDown: false, batches: 0 }
  const fetching = async (request) => {
    if (network.isDown) throw new TypeError('the network is down')
    if (request.url.endsWith('/batch')) network.batches += 1
    return fetch(request)
  }
  const token = await taskward.token(user)
  const client = createTaskwardClient({ baseUrl: taskward.url, token, fetch: fetching, retry: false })
  const database = await createRxDatabase({ name, storage, multiInstance: false, closeDuplicates: true })
  const { tasks } = await database.addCollections({ tasks: { schema: recipe.taskSchema } })
  const refused = []
  const stop = new AbortController()
  const replication = recipe.replicateTasks({
    taskward: client,
    collection: tasks,
    signal: stop.signal,
    onRefused: (document, problem) => refused.push([document.title, problem.code]),
  })
  replication.retryTime = 50
  t.after(async () => {
    stop.abort()
    await database.close()
  })
  const titles = async () => (await tasks.find().exec()).map(({ title }) => title).sort().join()
  /** Waits until the device holds these titles. */
  const holds = async (wanted) => {
    while ((await titles()) !== wanted) await sleep(20)
  }
  const find = (title) => tasks.findOne({ selector: { title } }).exec()
  return { tasks, replication, network, refused, titles, holds, find, others }
}

const uid = () => crypto.randomUUID()

test('two devices and another client agree', async (t) => {
  const [one, two] = [await device(t, 'alice'), await device(t, 'alice')]
  await one.others.createTask({ body: { title: 'Bread' } })
  await one.replication.awaitInitialReplication()
  await one.tasks.insert({ key: uid(), title: 'Milk', tags: ['home'] })
  for (const each of [one, two]) await each.holds('Bread,Milk')
  await (await two.find('Milk')).patch({ title: 'Oat milk' })
  await (await two.find('Bread')).remove()
  for (const each of [one, two]) await each.holds('Oat milk')
  const { data } = await one.others.listTasks()
  assert.deepEqual(data.items.map(({ title, tags }) => [title, tags]), [['Oat milk', ['home']]])
  assert.deepEqual([...one.refused, ...two.refused], [])
})

test('quick changes of one task are no conflicts', async (t) => {
  const one = await device(t, 'quick')
  const milk = await one.tasks.insert({ key: uid(), title: 'Milk' })
  for (const title of ['Oat', 'Oat m', 'Oat milk']) {
    await milk.incrementalPatch({ title })
    await one.replication.awaitInSync()
  }
  assert.equal((await one.others.listTasks()).data.items[0].title, 'Oat milk')
  assert.deepEqual(one.refused, [])
})

test('what is done offline is sent on return, in one batch, and merged with what others did', async (t) => {
  const one = await device(t, 'offline')
  await one.others.createTask({ body: { title: 'Bread' } })
  await one.holds('Bread')
  one.network.isDown = true
  await one.tasks.insert({ key: uid(), title: 'Milk' })
  await (await one.find('Bread')).patch({ title: 'Brown bread' })
  await one.others.updateTask({ path: { id: 1 }, body: { completed: true } })
  one.network.isDown = false
  one.replication.reSync()
  const onServer = async () => (await one.others.listTasks({ query: { sort: 'title' } })).data.items
  while ((await onServer()).map(({ title }) => title).join() !== 'Brown bread,Milk') await sleep(20)
  assert.equal((await one.others.getTask({ path: { id: 1 } })).data.completed, true)
  await one.replication.awaitInSync()
  assert.deepEqual(one.refused, [])
})

test('a conflict and a refusal are told, and the documents go back', async (t) => {
  const one = await device(t, 'conflict')
  await one.others.createTask({ body: { title: 'Bread' } })
  await one.holds('Bread')
  one.network.isDown = true
  await (await one.find('Bread')).patch({ title: 'Brown bread' })
  await one.tasks.insert({ key: uid(), title: ' ' })
  await one.others.updateTask({ path: { id: 1 }, body: { title: 'White bread' } })
  one.network.isDown = false
  one.replication.reSync()
  await one.holds('White bread')
  assert.deepEqual(one.refused.sort(), [
    [' ', 'validation_failed'],
    ['Brown bread', 'version_mismatch'],
  ])
})

test('if deletions are no longer known, all is read again', async (t) => {
  const name = 'resync-database'
  const one = await device(t, 'resync', name)
  for (const title of ['stays', 'goes']) await one.others.createTask({ body: { title } })
  await one.holds('goes,stays')
  one.network.isDown = true
  await one.others.deleteTask({ path: { id: 2 } })
  for (let round = 0; round < 2; round += 1) {
    const operations = Array.from({ length: 15 }, (_, n) => ({ op: 'create', task: { title: `${n}` } }))
    const { data } = await one.others.batchTasks({ body: { operations } })
    const deletions = data.results.map(({ task }) => ({ op: 'delete', id: task.id }))
    await one.others.batchTasks({ body: { operations: deletions } })
  }
  await one.tasks.insert({ key: uid(), title: 'new' })
  one.network.isDown = false
  one.replication.reSync()
  await one.holds('new,stays')
  assert.deepEqual((await one.others.listTasks()).data.items.map(({ title }) => title).sort(), ['new', 'stays'])
})
