// What the tests of the collection share: a user who may go offline, and what becomes of the rows.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

import { createCollection } from '@tanstack/db'
import { createTaskwardClient } from 'taskward-client'
import { type OutboxStorage, type Refusal, taskCollectionOptions } from 'taskward-client/tanstack-db'
import type { TaskCollectionOptions } from 'taskward-client/tanstack-db'

import { type Sent, type Server, recordingFetch, startProxy } from './support.js'

export type Tasks = Awaited<ReturnType<typeof open>>['tasks']

/**
 * A user: `taskward` is the client of the collection, behind a connection that can be cut (`offline`). Its requests are
 * noted in `sent`, and the answers of the next `lost.answers` batches are lost. `others` is another client of the user.
 */
export async function user(t: TestContext, server: Server, name: string) {
  const token = await server.token(name)
  const proxy = await startProxy(server.port)
  t.after(() => proxy.stop())
  const recording = recordingFetch()
  const lost = { answers: 0 }
  const lossy = (async (request: Request) => {
    const isBatch = request.method === 'POST'
    const response = await recording.fetch(request)
    if (!isBatch || (lost.answers -= 1) < 0) return response
    throw new TypeError('the answer was lost')
  }) as typeof fetch
  const taskward = createTaskwardClient({ baseUrl: proxy.url, token, fetch: lossy })
  const others = createTaskwardClient({ baseUrl: server.url, token })
  return { taskward, others, sent: recording.sent, lost, offline: proxy.offline }
}

/** A collection, until `close`; `events` has each change of a row: its kind, its key and its title. */
export function open(t: TestContext, options: TaskCollectionOptions) {
  const refusals: Refusal[] = []
  const onRefused = (refusal: Refusal) => void refusals.push(refusal)
  const quick = { baseDelayMs: 20, maxDelayMs: 100 }
  const page = new AbortController()
  const { signal } = page
  const tasks = createCollection(taskCollectionOptions({ ...quick, onRefused, signal, ...options }))
  t.after(() => {
    page.abort()
    return tasks.cleanup()
  })
  const events: string[] = []
  tasks.subscribeChanges((changes) => {
    for (const { type, key, value } of changes) events.push(`${type} ${key} ${value.title}`)
  })
  return { tasks, events, refusals, close: () => page.abort() }
}

export const titles = (tasks: Tasks) => tasks.toArray.map((task) => task.title).sort()

export function keyOf(tasks: Tasks, title: string): string {
  const key = [...tasks.keys()].find((key) => tasks.get(key)?.title === title)
  assert.ok(key, `there is no ${title}`)
  return key
}

/** Waits until the collection is so. */
export async function until(tasks: Tasks, isSo: () => boolean) {
  let changed = () => {}
  // With the initial state, because a subscription is not told of the deletion of a row that it has not been given.
  const subscription = tasks.subscribeChanges(() => changed(), { includeInitialState: true })
  while (!isSo()) await new Promise<void>((resolve) => (changed = resolve))
  subscription.unsubscribe()
}

/** The error with which a transaction ends. */
export const failure = (transaction: { isPersisted: { promise: Promise<unknown> } }): Promise<unknown> =>
  transaction.isPersisted.promise.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => error,
  )

export const batches = (sent: Sent[]) => sent.filter(({ url }) => url.pathname === '/api/v1/tasks/batch')

/** A storage that outlives the collections of a test, as that of a browser does. */
export function memory(): OutboxStorage & { size: () => number } {
  const texts = new Map<string, string>()
  return {
    get: async (key) => texts.get(key) ?? null,
    set: async (key, text) => void texts.set(key, text),
    delete: async (key) => void texts.delete(key),
    keys: async () => [...texts.keys()],
    size: () => texts.size,
  }
}
