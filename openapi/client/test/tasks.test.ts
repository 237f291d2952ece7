// The helpers over tasks: all pages, changes that do not undo those of others, and conditional requests.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { QueryClient } from '@tanstack/react-query'
import { type Task, TaskwardError, createTaskwardClient, ifMatch } from 'taskward-client'
import type { Answer, TaskList, TaskwardClient } from 'taskward-client'
import { createTaskMutation, listTasksInfiniteOptions, listTasksOptions } from 'taskward-client/react-query'
import { getTaskOptions, listTasksQueryKey } from 'taskward-client/react-query'

import { type Server, recordingFetch, startTaskward } from './support.js'

let server: Server
before(async () => (server = await startTaskward()))
after(() => server?.stop())

async function user(name: string) {
  const recording = recordingFetch()
  const client = createTaskwardClient({ baseUrl: server.url, token: await server.token(name), fetch: recording.fetch })
  return { client, sent: recording.sent }
}

async function make(client: TaskwardClient, count: number) {
  for (let made = 0; made < count; made += 25) {
    const titles = Array.from({ length: 25 }, (_, index) => `Task ${made + index}`)
    await Promise.all(titles.map((title) => client.createTask({ body: { title } })))
  }
}

test('paginate gives all of 250 tasks, once each and in order', async () => {
  const { client, sent } = await user('pages')
  await make(client, 250)
  sent.length = 0
  const ids: number[] = []
  for await (const task of client.paginate({ query: { sort: 'created_at' } })) ids.push(task.id)
  assert.deepEqual(
    ids,
    Array.from({ length: 250 }, (_, index) => index + 1),
  )
  assert.equal(sent.length, 3)

  // With the filter and the size of pages that were asked for, and no page more than is wanted.
  sent.length = 0
  const found: Task[] = []
  for await (const task of client.paginate({ query: { q: 'task 1', limit: 10 } })) {
    found.push(task)
    if (found.length === 15) break
  }
  assert.ok(found.every((task) => task.title.startsWith('Task 1')))
  assert.deepEqual(
    sent.map(({ url }) => url.searchParams.get('limit')),
    ['10', '10'],
  )
  for await (const task of client.paginate({ query: { q: 'nothing like it' } })) assert.fail(task.title)
})

test('paginate ends at an abort, also between pages', async () => {
  const { client } = await user('pages')
  const controller = new AbortController()
  const read = async () => {
    for await (const _ of client.paginate({ query: { limit: 10 }, signal: controller.signal })) controller.abort()
  }
  await assert.rejects(read(), { name: 'AbortError' })
})

test('updateTaskWith loses no change of ten that race', async () => {
  const { client, sent } = await user('race')
  const { data: task } = await client.createTask({ body: { title: 'Race', description: '' } })
  const add = (word: string) => {
    return client.updateTaskWith(
      task.id,
      (current) => ({ description: `${current.description} ${word}`.trim() }),
      // Of those that are left one gets through each time, so ten tries are enough for ten.
      { attempts: 10 },
    )
  }
  const words = Array.from({ length: 10 }, (_, index) => `word${index}`)
  await Promise.all(words.map(add))
  const { data } = await client.getTask({ path: { id: task.id } })
  assert.deepEqual(data.description?.split(' ').sort(), words)
  assert.equal(data.version, task.version + 10)
  assert.ok(
    sent.some(({ status }) => status === 412),
    'there was no race',
  )
})

test('updateTaskWith uses the version it was given, and asks again with the task as it is', async () => {
  const { client, sent } = await user('stale')
  const { data: task } = await client.createTask({ body: { title: 'Buy milk' } })
  await client.updateTask({ path: { id: task.id }, body: { tags: ['shopping'] } })
  sent.length = 0
  const seen: string[][] = []
  const change = (current: Task) => {
    seen.push(current.tags)
    return { tags: [...current.tags, 'home'] }
  }
  const changed = await client.updateTaskWith(task.id, change, { current: task })
  assert.deepEqual(changed.tags, ['shopping', 'home'])
  assert.deepEqual(seen, [[], ['shopping']])
  assert.deepEqual(
    sent.map(({ method, status }) => [method, status]),
    [
      ['PATCH', 412],
      ['PATCH', 200],
    ],
  )

  // Not for ever, and not if there is nothing to do.
  const late = client.updateTaskWith(task.id, change, { current: task, attempts: 1 })
  assert.ok(TaskwardError.is(await late.catch((error: unknown) => error), 'version_mismatch'))
  sent.length = 0
  assert.equal((await client.updateTaskWith(task.id, () => undefined)).version, changed.version)
  assert.deepEqual(
    sent.map(({ method }) => method),
    ['GET'],
  )

  await client.deleteTask({ path: { id: task.id } })
  const gone = client.updateTaskWith(task.id, () => ({ completed: true }), { current: changed })
  assert.ok(TaskwardError.is(await gone.catch((error: unknown) => error), 'task_not_found'))
})

test('ifMatch makes the header of a version or of a task', async () => {
  const { client } = await user('match')
  const { data: task, response } = await client.createTask({ body: { title: 'Buy milk' } })
  assert.deepEqual(ifMatch(12), { 'If-Match': '"12"' })
  assert.equal(ifMatch(task)['If-Match'], response.headers.get('ETag'))
  const deleted = await client.deleteTask({ path: { id: task.id }, headers: ifMatch(task) })
  assert.equal(deleted.data, undefined)
  assert.equal(deleted.response.status, 204)
})

test('with If-None-Match an unchanged answer has no data, and the types say so', async () => {
  const { client } = await user('unchanged')
  const first: Answer<TaskList> = await client.listTasks()
  const headers = { 'If-None-Match': String(first.response.headers.get('ETag')) }
  const second: Answer<TaskList | undefined> = await client.listTasks({ headers })
  assert.equal(second.response.status, 304)
  assert.equal(second.data, undefined)
  // @ts-expect-error: there may be none
  assert.throws(() => second.data.items, TypeError)
  await client.createTask({ body: { title: 'Buy milk' } })
  const third = await client.listTasks({ headers })
  assert.equal(third.data?.items.length, 1)
})

test('calls that the document does not allow do not compile', async () => {
  const { client } = await user('types')
  const calls = [
    // @ts-expect-error: no body
    () => client.createTask(),
    // @ts-expect-error: no title
    () => client.createTask({ body: { description: 'milk' } }),
    // @ts-expect-error: a member that there is not
    () => client.createTask({ body: { title: 'Buy milk', colour: 'red' } }),
    // @ts-expect-error: null where a task cannot have it
    () => client.updateTask({ path: { id: 1 }, body: { title: null } }),
    // @ts-expect-error: a priority that there is not
    () => client.listTasks({ query: { priority: 'urgent' } }),
    // @ts-expect-error: a misspelt filter
    () => client.listTasks({ query: { complete: true } }),
    // @ts-expect-error: an id is a number
    () => client.getTask({ path: { id: '1' } }),
    // @ts-expect-error: an option that there is not
    () => client.getMe({ throwOnError: false }),
  ]
  assert.equal(calls.length, 8)
})

test('the options for TanStack Query work with the client they are given', async () => {
  const [ann, ben] = [await user('ann'), await user('ben')]
  for (const { client } of [ann, ben]) {
    const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } })
    const page = await queries.fetchQuery(listTasksOptions({ client: client.client }))
    assert.deepEqual(page.items, [])
    const create = createTaskMutation({ client: client.client })
    const context = { client: queries, meta: undefined }
    const task = await create.mutationFn?.({ client: client.client, body: { title: 'Buy milk' } }, context)
    assert.equal(task?.id, 1)

    // Everything about tasks is out of date now, and nothing else.
    const key = listTasksQueryKey({ client: client.client })
    await queries.invalidateQueries({ queryKey: [{ tags: ['Tasks'] }] })
    assert.equal(queries.getQueryState(key)?.isInvalidated, true)
    const error = await queries
      .fetchQuery(getTaskOptions({ client: client.client, path: { id: 2 } }))
      .catch((error: unknown) => error)
    assert.ok(TaskwardError.is(error, 'task_not_found'), String(error))
  }
  const keys = ann.sent.filter(({ method }) => method === 'POST').map(({ headers }) => headers.get('idempotency-key'))
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/)
})

test('an infinite list follows next_cursor', async () => {
  const { client } = await user('infinite')
  await make(client, 25)
  const queries = new QueryClient()
  const list = await queries.fetchInfiniteQuery({
    ...listTasksInfiniteOptions({ client: client.client, query: { limit: 10 } }),
    initialPageParam: {},
    getNextPageParam: (last) => last.next_cursor,
    pages: 3,
  })
  assert.deepEqual(
    list.pages.map((page) => page.items.length),
    [10, 10, 5],
  )
  // What invalidates lists reaches the infinite ones too.
  await queries.invalidateQueries({ queryKey: [{ tags: ['Tasks'] }], refetchType: 'none' })
  assert.deepEqual(
    queries
      .getQueryCache()
      .getAll()
      .map((query) => query.state.isInvalidated),
    [true],
  )
})
