// Retries: only where they do no harm, not for ever, and never beyond an abort.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { TaskwardError, TaskwardNetworkError, createTaskwardClient } from 'taskward-client'

import { type Server, recordingFetch, startProxy, startTaskward } from './support.js'

let server: Server
let token: string
before(async () => {
  server = await startTaskward()
  token = await server.token('alice')
})
after(() => server?.stop())

const unavailable = (headers: Record<string, string>) => {
  const problem = { status: 503, code: 'database_unavailable', detail: 'Try again.', type: '', title: '' }
  return Response.json({ ...problem, request_id: 'x' }, { status: 503, headers })
}

test('createTask makes one task, though its answer was lost on the way', async (t) => {
  const proxy = await startProxy(server.port)
  t.after(() => proxy.stop())
  const { sent, fetch } = recordingFetch()
  const client = createTaskwardClient({ baseUrl: proxy.url, token, fetch, retry: { baseDelayMs: 20 } })

  const count = async () => (await client.listTasks({ query: { q: 'lost answer', limit: 100 } })).data.items.length
  assert.equal(await count(), 0)
  sent.length = 0
  proxy.cuts = 2
  const { data, response } = await client.createTask({ body: { title: 'A lost answer' } })
  assert.equal(proxy.cut, 2)
  assert.equal(sent.length, 3)
  // One key for all attempts of the call.
  const keys = sent.map(({ headers }) => headers.get('idempotency-key'))
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/)
  assert.deepEqual(new Set(keys).size, 1)
  assert.equal(response.headers.get('Idempotency-Replayed'), 'true')
  assert.equal(data.title, 'A lost answer')
  assert.equal(await count(), 1)

  // Another call has another key.
  sent.length = 0
  await client.createTask({ body: { title: 'A lost answer' } })
  assert.notEqual(sent[0]?.headers.get('idempotency-key'), keys[0])
  assert.equal(await count(), 2)
})

test('a key of the caller is sent as it is', async () => {
  const { sent, fetch } = recordingFetch()
  const client = createTaskwardClient({ baseUrl: server.url, token, fetch })
  const headers = { 'Idempotency-Key': 'by-the-caller' }
  const first = await client.createTask({ body: { title: 'Once' }, headers })
  const again = await client.createTask({ body: { title: 'Once' }, headers })
  assert.deepEqual(
    sent.map(({ headers }) => headers.get('idempotency-key')),
    ['by-the-caller', 'by-the-caller'],
  )
  assert.equal(first.data.id, again.data.id)
})

test('a change whose answer was lost is not made twice', async (t) => {
  const proxy = await startProxy(server.port)
  t.after(() => proxy.stop())
  const { sent, fetch } = recordingFetch()
  const client = createTaskwardClient({ baseUrl: proxy.url, token, fetch, retry: { baseDelayMs: 20 } })
  const { data: task } = await client.createTask({ body: { title: 'Change me' } })
  sent.length = 0
  proxy.cuts = 1
  const change = client.updateTask({ path: { id: task.id }, body: { title: 'Changed' } })
  await assert.rejects(change, TaskwardNetworkError)
  assert.equal(sent.length, 1)
  // Reading is repeated: here over a connection that is cut.
  proxy.cuts = 1
  assert.equal((await client.getTask({ path: { id: task.id } })).data.title, 'Changed')
  assert.equal(sent.length, 3)
})

test('an answer that breaks off in the middle counts as none', async (t) => {
  const proxy = await startProxy(server.port)
  t.after(() => proxy.stop())
  const { sent, fetch } = recordingFetch()
  const client = createTaskwardClient({ baseUrl: proxy.url, token, fetch, retry: { attempts: 3, baseDelayMs: 20 } })
  const { data: task } = await client.createTask({ body: { title: 'Half', description: 'x'.repeat(2000) } })
  Object.assign(proxy, { cuts: 1, kept: 1500 })
  sent.length = 0
  assert.deepEqual((await client.getTask({ path: { id: task.id } })).data, task)
  assert.deepEqual([sent.length, proxy.cut], [2, 1])
  proxy.cuts = 9
  await assert.rejects(client.getTask({ path: { id: task.id } }), TaskwardNetworkError)
})

test('429: the time that the server asks for is waited', async (t) => {
  const limited = await startTaskward({ RATE_LIMIT: '5/s' })
  t.after(() => limited.stop())
  const { sent, fetch } = recordingFetch()
  const client = createTaskwardClient({ baseUrl: limited.url, token: await limited.token('alice'), fetch })
  await Promise.all(Array.from({ length: 15 }, (_, index) => client.createTask({ body: { title: `Task ${index}` } })))
  const { data } = await client.listTasks({ query: { limit: 100 } })
  assert.equal(data.items.length, 15)

  const refused = sent.filter(({ status }) => status === 429)
  assert.ok(refused.length > 0, 'nothing was refused')
  for (const { headers, at } of refused) {
    const key = headers.get('idempotency-key')
    const next = sent.find((other) => other.at > at && other.headers.get('idempotency-key') === key)
    assert.ok(!next || next.at - at >= 990, `tried again after ${next && next.at - at} ms`)
  }
  // What is not repeatable gets the answer, with the time to wait.
  const attempts = Array.from({ length: 30 }, () => client.deleteTask({ path: { id: 4711 } }).catch((error) => error))
  const error = (await Promise.all(attempts)).find((error) => TaskwardError.is(error, 'rate_limited'))
  assert.ok(error instanceof TaskwardError)
  assert.ok(Number(error.retryAfter) >= 1)
})

test('Retry-After may be a date, and one that is too far off is not waited for', async () => {
  const after = async (retryAfter: string, retry = {}) => {
    const { sent, fetch } = recordingFetch((_, count) => {
      return count === 1 ? unavailable({ 'Retry-After': retryAfter }) : undefined
    })
    const client = createTaskwardClient({ baseUrl: server.url, token, fetch, retry: { baseDelayMs: 20, ...retry } })
    const started = Date.now()
    const answer = await client.getMe().catch((error: unknown) => error)
    return { answer, attempts: sent.length, took: Date.now() - started }
  }
  // HTTP dates have whole seconds: two of them away is one to two.
  const date = await after(new Date(Date.now() + 2000).toUTCString())
  assert.equal(date.attempts, 2)
  assert.ok(date.took >= 900 && date.took < 2900, `${date.took} ms`)

  const seconds = await after('1')
  assert.ok(seconds.attempts === 2 && seconds.took >= 990, `${seconds.took} ms`)
  assert.equal((await after('0')).attempts, 2)
  assert.equal((await after('soon')).attempts, 2)

  const { answer, attempts, took } = await after('3600')
  assert.ok(TaskwardError.is(answer, 'database_unavailable') && answer.retryAfter === 3600)
  assert.ok(attempts === 1 && took < 500)
  assert.equal((await after('2', { totalMs: 1000 })).attempts, 1)
})

test('attempts and the time for all of them are bounded', async () => {
  const attempts = async (retry: object | false) => {
    const { sent, fetch } = recordingFetch(() => unavailable({}))
    const client = createTaskwardClient({ baseUrl: server.url, token, fetch, retry })
    const error = await client.getMe().catch((error: unknown) => error)
    assert.ok(TaskwardError.is(error, 'database_unavailable'), String(error))
    return sent
  }
  const sent = await attempts({ attempts: 4, baseDelayMs: 40 })
  assert.equal(sent.length, 4)
  const pauses = sent.slice(1).map(({ at }, index) => at - Number(sent[index]?.at))
  for (const [index, pause] of pauses.entries()) {
    const longest = 40 * 2 ** index
    assert.ok(pause >= longest / 2 - 2 && pause < longest + 60, `pause ${index}: ${pause} ms`)
  }
  assert.equal((await attempts({ attempts: 1000, baseDelayMs: 50, maxDelayMs: 50, totalMs: 300 })).length < 15, true)
  assert.equal((await attempts(false)).length, 1)
})

test('an attempt that gets no answer in time counts as failed', async () => {
  let calls = 0
  const stuck = ((request: Request) => {
    calls += 1
    if (calls > 1) return fetch(request)
    return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)))
  }) as typeof fetch
  const client = createTaskwardClient({ baseUrl: server.url, token, fetch: stuck, timeoutMs: 100 })
  assert.equal((await client.getMe()).data.user_id, 'alice')
  assert.equal(calls, 2)
})

test('an abort ends a request, a pause and the wait for a token at once', async () => {
  const aborted = async (start: (signal: AbortSignal) => Promise<unknown>) => {
    const controller = new AbortController()
    const call = start(controller.signal).catch((error: unknown) => error)
    await sleep(100)
    const reason = new Error('changed my mind')
    const at = Date.now()
    controller.abort(reason)
    assert.equal(await call, reason)
    assert.ok(Date.now() - at < 1000, `only after ${Date.now() - at} ms`)
  }
  const pausing = recordingFetch(() => unavailable({ 'Retry-After': '10' }))
  const hanging = ((request: Request) => {
    return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)))
  }) as typeof fetch
  const client = (options: object) => createTaskwardClient({ baseUrl: server.url, token, ...options })

  await aborted((signal) => client({ fetch: pausing.fetch }).getMe({ signal }))
  await sleep(50)
  assert.equal(pausing.sent.length, 1)
  await aborted((signal) => client({ fetch: hanging }).getMe({ signal }))
  await aborted((signal) => client({ token: () => new Promise(() => {}) }).getMe({ signal }))

  // Before it began: nothing is sent.
  const { sent, fetch } = recordingFetch()
  await assert.rejects(client({ fetch }).getMe({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(sent.length, 0)
})
