// Tokens: one refresh when one is refused, and never the token of somebody else.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { TaskwardError, createTaskwardClient, rememberToken } from 'taskward-client'

import { type Server, recordingFetch, startTaskward } from './support.js'

let server: Server
let good: string
before(async () => {
  server = await startTaskward()
  good = await server.token('alice')
})
after(() => server?.stop())

/** A token function that remembers its token, which is no good until it is forced to get another. */
function source(first: string, second: string) {
  const asked: boolean[] = []
  let token = first
  return {
    asked,
    refreshes: () => asked.filter(Boolean).length,
    async token({ forceRefresh }: { forceRefresh: boolean }) {
      asked.push(forceRefresh)
      if (forceRefresh) {
        await sleep(50)
        token = second
      }
      return token
    },
  }
}

test('a refused token is refreshed once, and the request is sent again', async () => {
  const { sent, fetch } = recordingFetch()
  const { token, asked } = source('garbage', good)
  const client = createTaskwardClient({ baseUrl: server.url, token, fetch })
  assert.equal((await client.getMe()).data.user_id, 'alice')
  assert.deepEqual(asked, [false, true])
  assert.deepEqual(
    sent.map(({ status }) => status),
    [401, 200],
  )

  // Also a write that is not repeated after other failures: who is refused has done nothing.
  const { data: task } = await client.createTask({ body: { title: 'Buy milk' } })
  const other = createTaskwardClient({ baseUrl: server.url, token: source('garbage', good).token })
  assert.equal((await other.updateTask({ path: { id: task.id }, body: { completed: true } })).data.completed, true)
})

test('a remembered token that the server refuses is replaced for all that follows', async () => {
  const issued = ['garbage', good]
  const { sent, fetch } = recordingFetch()
  const client = createTaskwardClient({ baseUrl: server.url, token: rememberToken(async () => issued.shift()), fetch })
  for (let count = 0; count < 3; count += 1) assert.equal((await client.getMe()).data.user_id, 'alice')
  assert.deepEqual(
    sent.map(({ status }) => status),
    [401, 200, 200, 200],
  )
})

test('requests that are refused at the same time share one refresh', async () => {
  const { sent, fetch } = recordingFetch()
  const tokens = source('garbage', good)
  const client = createTaskwardClient({ baseUrl: server.url, token: tokens.token, fetch })
  await Promise.all(Array.from({ length: 20 }, () => client.getMe()))
  assert.equal(tokens.refreshes(), 1)
  assert.equal(sent.filter(({ status }) => status === 401).length, 20)
  assert.equal(sent.filter(({ status }) => status === 200).length, 20)
})

test('a refusal that arrives after the refresh uses what it brought', async () => {
  let hold = true
  const slow = (async (request: Request) => {
    const late = hold
    hold = false
    const response = await fetch(request)
    // The first answer is on its way until the other request is through with its refresh.
    if (late) await sleep(400)
    return response
  }) as typeof fetch
  const tokens = source('garbage', good)
  const client = createTaskwardClient({ baseUrl: server.url, token: tokens.token, fetch: slow })
  await Promise.all([client.getMe(), client.getMe()])
  assert.equal(tokens.refreshes(), 1)
})

test('a second refusal is the answer', async () => {
  const { sent, fetch } = recordingFetch()
  const tokens = source('garbage', 'more garbage')
  const client = createTaskwardClient({ baseUrl: server.url, token: tokens.token, fetch })
  const error = await client.getMe().catch((error: unknown) => error)
  assert.ok(error instanceof TaskwardError && error.status === 401, String(error))
  assert.deepEqual(tokens.asked, [false, true])
  assert.equal(sent.length, 2)
  // The next request may try again: a refresh that failed is not remembered.
  await assert.rejects(client.getMe(), TaskwardError)
  assert.deepEqual(tokens.asked, [false, true, false, true])
})

test('a token that is a text is not asked for again, and none at all is told so', async () => {
  const { sent, fetch } = recordingFetch()
  const fixed = createTaskwardClient({ baseUrl: server.url, token: 'garbage', fetch })
  await assert.rejects(fixed.getMe(), TaskwardError)
  assert.equal(sent.length, 1)
  const none = createTaskwardClient({ baseUrl: server.url, token: () => undefined })
  const error = await none.getMe().catch((error: unknown) => error)
  assert.ok(TaskwardError.is(error, 'token_missing'), String(error))
})

test('what the token function throws is thrown, and not taken for the network', async () => {
  const token = () => Promise.reject(new Error('signed out'))
  const client = createTaskwardClient({ baseUrl: server.url, token })
  await assert.rejects(client.getMe(), /^Error: signed out$/)
})

test('a token is sent only where the document asks for one', async () => {
  const { sent, fetch } = recordingFetch()
  const { token, asked } = source(good, good)
  await createTaskwardClient({ baseUrl: server.url, token, fetch }).getHealth()
  assert.deepEqual(asked, [])
  assert.equal(sent[0]?.headers.has('authorization'), false)
})

test('two users in one process stay apart', async () => {
  const user = async (name: string) => {
    return createTaskwardClient({ baseUrl: server.url, token: source('garbage', await server.token(name)).token })
  }
  const [carol, dave] = [await user('carol'), await user('dave')]
  // All at once, so that the refreshes of both are on their way at the same time.
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => [
      carol.createTask({ body: { title: `carol ${index}` } }),
      dave.createTask({ body: { title: `dave ${index}` } }),
    ]).flat(),
  )
  for (const [client, name] of [
    [carol, 'carol'],
    [dave, 'dave'],
  ] as const) {
    assert.equal((await client.getMe()).data.user_id, name)
    const { items } = (await client.listTasks({ query: { limit: 100 } })).data
    assert.equal(items.length, 20)
    assert.ok(items.every((task) => task.user_id === name && task.title.startsWith(name)))
  }
  const late = createTaskwardClient({ baseUrl: server.url, token: 'garbage' })
  await assert.rejects(late.getMe(), TaskwardError)
})
