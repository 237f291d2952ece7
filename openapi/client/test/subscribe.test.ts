// The stream of changes: nothing is missed and nothing comes twice, whatever breaks in between.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { type Changes, type TaskwardClient, TaskwardError, createTaskwardClient, subscribe } from 'taskward-client'

import { type Server, recordingFetch, startTaskward } from './support.js'

let server: Server
before(async () => (server = await startTaskward({ AUTH_LEEWAY_SECONDS: '0' })))
after(() => server?.stop())

const quick = { baseDelayMs: 20, maxDelayMs: 100 }

async function user(name: string, fetch?: typeof globalThis.fetch) {
  return createTaskwardClient({ baseUrl: server.url, token: await server.token(name), ...(fetch && { fetch }) })
}

const create = async (client: TaskwardClient, title: string) => (await client.createTask({ body: { title } })).data

/** The next page that has something in it. */
async function nextChange(pages: AsyncGenerator<Changes, void>): Promise<Changes> {
  for (;;) {
    const { value } = await pages.next()
    assert.ok(value, 'the subscription has ended')
    if (value.tasks.length + value.deleted.length > 0) return value
  }
}

const titles = (page: Changes) => page.tasks.map((task) => task.title)

/** A stream as a server might send it, in chunks of `size` bytes. */
function streamOf(text: string, size: number): Response {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, (at += size)))
    },
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
}

test('a subscription tells what there is, and then what happens', async () => {
  const client = await user('alice')
  const milk = await create(client, 'Milk')
  const controller = new AbortController()
  const states: string[] = []
  const onState = ({ status }: { status: string }) => void states.push(status)
  const pages = subscribe(client, { signal: controller.signal, onState })

  const first = (await pages.next()).value
  assert.deepEqual(first, { tasks: [milk], deleted: [], cursor: null, next: milk.version, revision: milk.version })

  const eggs = await create(client, 'Eggs')
  assert.deepEqual((await nextChange(pages)).tasks, [eggs])
  await client.deleteTask({ path: { id: milk.id } })
  assert.deepEqual((await nextChange(pages)).deleted, [{ id: milk.id, uid: null, version: eggs.version + 1 }])

  // It waits for what does not come; the abort ends it, quietly.
  const last = pages.next()
  controller.abort()
  assert.deepEqual(await last, { value: undefined, done: true })
  assert.deepEqual(states, ['connecting', 'live'])
})

test('`since` resumes: the first page comes at once, with nothing in it', async () => {
  const client = await user('bob')
  const { version } = await create(client, 'Milk')
  const pages = subscribe(client, { since: version })
  const page = (await pages.next()).value
  assert.deepEqual([page?.tasks, page?.revision], [[], version])
  await pages.return()
})

test('a backlog of several pages comes in order, and can be resumed in its middle', async () => {
  const client = await user('backlog')
  const operations = (from: number) =>
    Array.from({ length: 100 }, (_, n) => ({ op: 'create' as const, task: { title: `${from + n}` } }))
  for (const from of [0, 100, 200]) await client.batchTasks({ body: { operations: operations(from) } })

  const pages = subscribe(client)
  const first = await nextChange(pages)
  await pages.return()
  assert.ok(first.cursor !== null && first.revision < 300, 'it came as one page')
  const seen = titles(first)
  const rest = subscribe(client, { since: first.revision })
  while (seen.length < 300) seen.push(...titles(await nextChange(rest)))
  await rest.return()
  const all = Array.from({ length: 300 }, (_, n) => `${n}`)
  assert.deepEqual(seen, all)
})

test('events are read whatever the chunks and the ends of lines are', async () => {
  const page = (title: string, next: number) => JSON.stringify({ tasks: [{ title }], deleted: [], cursor: null, next })
  const lines = [
    'retry: 17',
    '',
    ': a comment',
    'event: changes',
    'id: 7',
    `data:${page('Crème brûlée 🍮', 7)}`,
    '',
    'event: something.new',
    'data: 1',
    '',
    'id: 8',
    'event: changes',
    ...page('Zwölf', 8)
      .split(',')
      .map((part, index) => `data: ${index > 0 ? ',' : ''}${part}`),
    '',
    'event: changes',
    'data: {"cut off',
  ]
  for (const end of ['\n', '\r\n', '\r']) {
    for (const size of [1, 2, 3, 5, 1000]) {
      const { fetch, sent } = recordingFetch(() => streamOf(lines.join(end), size))
      const pages = subscribe(await user('chunks', fetch), quick)
      const read = [(await pages.next()).value, (await pages.next()).value]
      assert.deepEqual(
        read.map((page) => [page && titles(page), page?.revision]),
        [
          [['Crème brûlée 🍮'], 7],
          [['Zwölf'], 8],
        ],
        `${size} bytes, ${JSON.stringify(end)}`,
      )
      // The stream ended in the middle of an event, so it is asked for again after the last one that was whole.
      await pages.next()
      assert.equal(sent[1]?.url.searchParams.get('since'), '8')
      await pages.return()
    }
  }
})

test('a server that is killed again and again leaves no gap', async (t) => {
  const fragile = await startTaskward()
  t.after(() => fragile.stop())
  const client = createTaskwardClient({ baseUrl: fragile.url, token: await fragile.token('alice') })
  const seen: string[] = []
  const expected: string[] = []
  const pages = subscribe(client, quick)
  for (let round = 0; round < 5; round += 1) {
    for (const part of ['before', 'after']) {
      if (part === 'after') {
        await fragile.kill()
        await fragile.restart()
      }
      expected.push(`${part} ${round}`)
      await create(client, `${part} ${round}`)
    }
    if (round % 2 === 0) while (seen.length < expected.length) seen.push(...titles(await nextChange(pages)))
  }
  while (seen.length < expected.length) seen.push(...titles(await nextChange(pages)))
  assert.deepEqual(seen, expected)
  await pages.return()
})

test('each connection asks for a token anew, so a token that expires interrupts nothing', async () => {
  let asked = 0
  const token = () => {
    asked += 1
    return server.token('shortlived', '--seconds', '4')
  }
  const client = createTaskwardClient({ baseUrl: server.url, token })
  const writer = await user('shortlived')
  const errors: unknown[] = []
  const pages = subscribe(client, {
    ...quick,
    onState: (state) => state.status === 'waiting' && errors.push(state.error),
  })
  await pages.next()
  // A page with nothing in it is that of a new connection.
  await pages.next()
  await pages.next()
  assert.ok(asked >= 3, `${asked} tokens`)
  assert.deepEqual(errors, [], 'an orderly end is no failure')
  await create(writer, 'Still there')
  assert.deepEqual(titles(await nextChange(pages)), ['Still there'])
  await pages.return()
})

test('a token that is refused is renewed once; then the refusal is thrown', async () => {
  const asked: boolean[] = []
  const good = await server.token('renewed')
  const token = ({ forceRefresh }: { forceRefresh: boolean }) => {
    asked.push(forceRefresh)
    return forceRefresh ? good : `${good}x`
  }
  const pages = subscribe(createTaskwardClient({ baseUrl: server.url, token }))
  assert.equal((await pages.next()).done, false)
  assert.deepEqual(asked, [false, true])
  await pages.return()

  const refused = subscribe(createTaskwardClient({ baseUrl: server.url, token: () => `${good}x` }))
  await assert.rejects(refused.next(), (error) => TaskwardError.is(error, 'token_malformed'))
  const writeOnly = await server.token('renewed', '--scope', 'tasks:write')
  const forbidden = subscribe(createTaskwardClient({ baseUrl: server.url, token: writeOnly }))
  await assert.rejects(forbidden.next(), (error) => TaskwardError.is(error, 'insufficient_scope'))
})

test('while the issuer or the server is away, the subscription waits and tries again', async () => {
  let failures = 3
  const good = await server.token('patient')
  const token = () => {
    if ((failures -= 1) >= 0) throw new TypeError('fetch failed')
    return good
  }
  const { fetch } = recordingFetch((_, count) => {
    if (count === 1) throw new TypeError('fetch failed')
    if (count === 2) return new Response('<h1>502</h1>', { status: 502 })
    if (count === 3) return new Response('<h1>Please sign in to the Wi-Fi</h1>')
    return undefined
  })
  const waits: number[] = []
  const onState = (state: { status: string; ms?: number }) => void (state.ms !== undefined && waits.push(state.ms))
  const client = createTaskwardClient({ baseUrl: server.url, token, fetch })
  const pages = subscribe(client, { baseDelayMs: 4, maxDelayMs: 20, onState })
  assert.equal((await pages.next()).done, false)
  assert.equal(waits.length, 6)
  for (const [index, ms] of waits.entries()) {
    const longest = Math.min(20, 4 * 2 ** index)
    assert.ok(ms >= longest / 2 && ms <= longest, `pause ${index}: ${ms} ms`)
  }
  await pages.return()
})

test('a connection on which nothing comes any more is given up', async () => {
  const { fetch, sent } = recordingFetch((_, count) => {
    const silent = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(': hi\n')) })
    return count === 1 ? new Response(silent, { headers: { 'Content-Type': 'text/event-stream' } }) : undefined
  })
  const client = await user('silent', fetch)
  const pages = subscribe(client, { ...quick, silenceMs: 200 })
  assert.equal((await pages.next()).done, false)
  assert.equal(sent.length, 2)
  await pages.return()
})

test('whoever leaves the loop closes the connection', async () => {
  const signals: AbortSignal[] = []
  const noting = ((request: Request) => {
    signals.push(request.signal)
    return fetch(request)
  }) as typeof fetch
  for await (const _ of subscribe(await user('leaving', noting))) break
  assert.deepEqual(
    signals.map((signal) => signal.aborted),
    [true],
  )
})
