// Two collections of one user and another client do at random what they can, while connections are cut, answers are lost
// and deletions are forgotten. In the end both collections are what the server has. COLLECTION_RUNS: how many runs.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTransaction } from '@tanstack/db'
import type { Task, TaskwardClient } from 'taskward-client'

import { type Tasks, memory, open, user } from './collection.js'
import { type Server, startTaskward } from './support.js'

const RUNS = Number(process.env['COLLECTION_RUNS'] ?? 4)
const STEPS = 80

let server: Server
// So few that tombstones are purged in each run, and sometimes a creation is refused.
before(async () => (server = await startTaskward({ MAX_TASKS_PER_USER: '15' })))
after(() => server?.stop())

/** Deletes so much that earlier deletions are no longer known. */
async function forget(others: TaskwardClient) {
  for (let round = 0; round < 3; round += 1) {
    const creations = Array.from({ length: 10 }, () => ({ op: 'create' as const, task: { title: 'passing' } }))
    const { data } = await others.batchTasks({ body: { operations: creations } })
    const operations = data.results.flatMap(({ task }) => (task ? [{ op: 'delete' as const, id: task.id }] : []))
    if (operations.length > 0) await others.batchTasks({ body: { operations } })
  }
}

/** Numbers from 0 below `n`, the same for the same seed (mulberry32). */
function dice(seed: number) {
  return (n: number): number => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

const byKey = (tasks: Iterable<Task>) =>
  Array.from(tasks, ({ id, uid, title, completed, tags, version }) => ({
    id,
    uid,
    title,
    completed,
    tags,
    version,
  })).sort((a, b) => a.id - b.id)

for (let run = 0; run < RUNS; run += 1) {
  const seed = process.env['COLLECTION_SEED'] ? Number(process.env['COLLECTION_SEED']) : (Date.now() % 1e6) + run
  test(`run ${seed}: both collections end as what the server has`, async (t) => {
    const roll = dice(seed)
    const name = `model ${seed}`
    const devices = await Promise.all([0, 1].map(() => user(t, server, name)))
    const collections = devices.map(({ taskward }, index) =>
      open(t, { taskward, outbox: { storage: memory(), user: name }, ...(index === 1 && { pollMs: 15 }) }),
    )
    const others = devices[0]?.others
    assert.ok(others)
    let refused = 0
    const settle = (transaction: { isPersisted: { promise: Promise<unknown> } }) =>
      void transaction.isPersisted.promise.catch(() => (refused += 1))

    const pick = (tasks: Tasks): string | undefined => [...tasks.keys()][roll(Math.max(1, tasks.size))]
    const change = (tasks: Tasks, key: string) => {
      if (roll(4) === 0) return tasks.delete(key)
      return tasks.update(key, (draft) => {
        if (roll(2) === 0) draft.title = `${roll(5)}`
        else if (roll(2) === 0) draft.completed = !draft.completed
        else draft.tags = [`${roll(5)}`]
      })
    }
    for (let step = 0; step < STEPS; step += 1) {
      const device = roll(2)
      const { tasks } = collections[device] as (typeof collections)[0]
      const key = pick(tasks)
      const deed = roll(13)
      if (deed < 3 || key === undefined) settle(tasks.insert({ title: `${roll(5)}` }))
      else if (deed < 6) settle(change(tasks, key))
      else if (deed === 6) {
        const both = createTransaction({ mutationFn: tasks.utils.commit })
        both.mutate(() => {
          tasks.insert({ title: `${roll(5)}` })
          change(tasks, key)
        })
        settle(both)
      } else if (deed === 7) devices[device]?.offline(roll(2) === 0)
      else if (deed === 8) (devices[device] as (typeof devices)[0]).lost.answers = roll(3)
      else if (deed === 9) await others.createTask({ body: { title: `${roll(5)}` } }).catch(() => {})
      else if (deed === 12) await forget(others)
      else {
        const { data } = await others.listTasks()
        const path = { id: data.items[roll(Math.max(1, data.items.length))]?.id ?? 1 }
        const body = { title: `${roll(5)}` }
        // (A collection may have deleted it meanwhile.)
        await (deed === 10 ? others.updateTask({ path, body }) : others.deleteTask({ path })).catch(() => {})
      }
      if (roll(3) === 0) await sleep(roll(15))
    }

    for (const { offline, lost } of devices) {
      offline(false)
      lost.answers = 0
    }
    const isSent = () => collections.every(({ tasks }) => tasks.utils.pending() === 0)
    while (!isSent()) await sleep(10)
    const tasks: Task[] = []
    for await (const task of others.paginate()) tasks.push(task)
    const end = JSON.stringify(byKey(tasks))
    // What arrives is all that is missing; a collection that is wrong for good keeps the test from ending.
    const deadline = Date.now() + 60_000
    for (const { tasks } of collections) {
      while (JSON.stringify(byKey(tasks.toArray)) !== end && Date.now() < deadline) await sleep(10)
      assert.deepEqual(byKey(tasks.toArray), JSON.parse(end))
    }
    assert.equal(collections.flatMap(({ refusals }) => refusals).length, refused)
  })
}
