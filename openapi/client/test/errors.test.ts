// What a call fails with: problems by their code, and answers that are none of Taskward's.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { type Fault, type Task, TaskwardError, TaskwardNetworkError, createTaskwardClient } from 'taskward-client'
import type { KnownCode, NewTask, TaskwardClient } from 'taskward-client'

import { type Server, freePort, recordingFetch, startTaskward } from './support.js'

let server: Server
let alice: TaskwardClient
before(async () => {
  server = await startTaskward({ MAX_TASKS_PER_USER: '5' })
  alice = createTaskwardClient({ baseUrl: server.url, token: await server.token('alice') })
})
after(() => server?.stop())

async function refused<Code extends KnownCode>(call: Promise<unknown>, code: Code) {
  const error = await call.then(
    () => assert.fail(`${code} was expected`),
    (error: unknown) => error,
  )
  assert.ok(TaskwardError.is(error, code), String(error))
  return error
}

test('a validation error has a pointer for every fault', async () => {
  const body = { title: ' ', tags: ['home', 'HOME'], priority: 'urgent', colour: 'red' } as unknown as NewTask
  const error = await refused(alice.createTask({ body }), 'validation_failed')
  assert.equal(error.status, 422)
  assert.deepEqual(
    error.errors.map((fault: Fault) => fault.pointer).sort(),
    ['/colour', '/priority', '/tags/1', '/title'],
    JSON.stringify(error.errors),
  )
  assert.match(error.message, /^422 validation_failed: /)
  assert.match(error.requestId, /^\S{8,}$/)
  assert.equal(error.request_id, error.requestId)
})

test('faults of parameters are named', async () => {
  const error = await refused(alice.listTasks({ query: { limit: 0, q: '\0' } }), 'invalid_parameters')
  assert.deepEqual(error.errors.map((fault) => fault.parameter).sort(), ['limit', 'q'])
  await refused(alice.listTasks({ query: { cursor: 'WzEsMTIsN10' } }), 'invalid_cursor')
})

test('the kinds are told apart by code, also in a switch', async () => {
  const error: unknown = await alice.getTask({ path: { id: 4711 } }).catch((error: unknown) => error)
  assert.ok(error instanceof TaskwardError)
  switch (error.code) {
    case 'task_not_found':
      break
    // @ts-expect-error: it is a number that is compared with a code
    case 404:
    default:
      assert.fail(error.code)
  }
  assert.equal(error.status, 404)
  assert.deepEqual(error.errors, [])
  assert.equal(error.current, undefined)
  assert.equal(error.retryAfter, undefined)
  assert.equal(TaskwardError.is(error), true)
  assert.equal(TaskwardError.is(error, 'version_mismatch'), false)
  assert.equal(TaskwardError.is(new Error('task_not_found'), 'task_not_found'), false)
  // @ts-expect-error: there is no such code
  assert.equal(TaskwardError.is(error, 'task_not_fuond'), false)
})

test('a version that is gone brings the task as it is', async () => {
  const { data: task } = await alice.createTask({ body: { title: 'Buy milk' } })
  await alice.updateTask({ path: { id: task.id }, body: { title: 'Buy tea' } })
  const late = alice.deleteTask({ path: { id: task.id }, headers: { 'If-Match': `"${task.version}"` } })
  const current: Task = (await refused(late, 'version_mismatch')).current
  assert.equal(current.title, 'Buy tea')
})

test('a limit, a reused key and a scope have codes of their own', async () => {
  const headers = { 'Idempotency-Key': 'the-same' }
  await alice.createTask({ body: { title: 'Buy milk' }, headers })
  await refused(alice.createTask({ body: { title: 'Buy tea' }, headers }), 'idempotency_key_reused')

  const fill = async () => {
    for (;;) await alice.createTask({ body: { title: 'One more' } })
  }
  assert.equal((await refused(fill(), 'task_limit_reached')).status, 409)

  const reader = createTaskwardClient({
    baseUrl: server.url,
    token: await server.token('alice', '--scope', 'tasks:read'),
  })
  await refused(reader.deleteTask({ path: { id: 1 } }), 'insufficient_scope')
})

test('an answer that is not of Taskward is an error, whatever its status', async () => {
  for (const status of [200, 502]) {
    const { fetch } = recordingFetch(() => {
      return new Response('<h1>It works!</h1>', { status, headers: { 'Content-Type': 'text/html' } })
    })
    const client = createTaskwardClient({ baseUrl: server.url, token: 'any', fetch })
    const error = await client.listTasks().catch((error: unknown) => error)
    assert.ok(TaskwardError.is(error, 'unexpected_answer'), String(error))
    assert.equal(error.status, status)
    assert.match(error.detail, /It works!/)
  }
})

test('a server that is not there is a network error, after a bounded number of attempts', async () => {
  const { sent, fetch } = recordingFetch()
  const baseUrl = `http://127.0.0.1:${await freePort()}`
  const client = createTaskwardClient({ baseUrl, token: 'any', fetch, retry: { attempts: 3, baseDelayMs: 20 } })

  const error = await client.listTasks({ query: { q: 'a secret' } }).catch((error: unknown) => error)
  assert.ok(error instanceof TaskwardNetworkError, String(error))
  assert.ok(!(error instanceof TaskwardError))
  assert.equal(error.attempts, 3)
  assert.equal(sent.length, 3)
  assert.match(error.message, /^GET http\S+\/api\/v1\/tasks got no answer \(3 attempts\): .*ECONNREFUSED/)
  assert.doesNotMatch(error.message, /secret/)
  assert.ok(error.cause instanceof TypeError)

  // Nobody knows whether a change was made; it is not for the client to make it twice.
  const change = await client
    .updateTask({ path: { id: 1 }, body: { completed: true } })
    .catch((error: unknown) => error)
  assert.ok(change instanceof TaskwardNetworkError && change.attempts === 1, String(change))
})
