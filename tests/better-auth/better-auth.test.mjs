// Taskward and a real Better Auth: what a front end's user sees.
//
// cargo build && cd tests/better-auth && npm ci && npm test

import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { signUp, startIssuer } from './issuer.mjs'
import { freePort, isAlive, startTaskward } from '../support/server.mjs'

const part = (token, index) => JSON.parse(Buffer.from(token.split('.')[index], 'base64url'))

function assertProblem(answer, status, code) {
  assert.equal(answer.status, status, answer.text)
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/)
  assert.equal(answer.json().code, code)
  if (status === 401) assert.match(answer.headers.get('www-authenticate'), /^Bearer/)
}

describe('the issuer, as Taskward expects it', () => {
  let issuer
  before(async () => (issuer = await startIssuer()))
  after(() => issuer.stop())

  const keySet = async () => (await (await fetch(`${issuer.url}/api/auth/jwks`)).json()).keys

  test('signs JWTs for its base URL with a key of its key set', async () => {
    const alice = await signUp(issuer.url, 'alice')
    const token = await alice.token()
    const { alg, kid } = part(token, 0)
    const { iss, aud, sub } = part(token, 1)
    assert.deepEqual({ alg, iss, aud, sub }, { alg: 'EdDSA', iss: issuer.url, aud: issuer.url, sub: alice.user.id })
    const key = (await keySet()).find((key) => key.kid === kid)
    const [signed, signature] = token.split(/\.(?=[^.]*$)/)
    const publicKey = createPublicKey({ key, format: 'jwk' })
    assert.ok(verify(null, Buffer.from(signed), publicKey, Buffer.from(signature, 'base64url')))
    assert.match(alice.sessionToken, /^[A-Za-z0-9]{32}$/)
  })

  test('rotates: a new key signs, perhaps with another algorithm, and the old one stays published', async () => {
    const alice = await signUp(issuer.url, 'alice-rotates')
    const old = part(await alice.token(), 0)
    const rotated = await fetch(`${issuer.url}/test/rotate?alg=ES256`, { method: 'POST' })
    assert.equal(rotated.status, 204)
    const fresh = part(await alice.token(), 0)
    assert.equal(fresh.alg, 'ES256')
    const published = (await keySet()).map((key) => key.kid)
    assert.ok(published.includes(old.kid) && published.includes(fresh.kid))
  })
})

describe('a server that trusts it by BETTER_AUTH_URL', () => {
  let issuer, taskward, alice
  before(async () => {
    issuer = await startIssuer()
    taskward = await startTaskward({ BETTER_AUTH_URL: issuer.url })
    alice = await signUp(issuer.url, 'alice')
  })
  after(async () => {
    await taskward?.stop()
    await issuer?.stop()
  })

  const me = (token) => taskward.call('GET', '/api/v1/me', { token })
  const createTask = (token, title) => taskward.call('POST', '/api/v1/tasks', { token, body: { title } })

  test('accepts a token of its user', async () => {
    const answer = await me(await alice.token())
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.json().user_id, alice.user.id)
  })

  test('does not show her tasks to another user', async () => {
    const token = await alice.token()
    const created = await createTask(token, 'Buy milk')
    assert.equal(created.status, 201, created.text)
    assert.equal(created.json().user_id, alice.user.id)
    const { id } = created.json()

    const bob = await signUp(issuer.url, 'bob')
    const bobs = await bob.token()
    const list = await taskward.call('GET', '/api/v1/tasks', { token: bobs })
    assert.deepEqual(list.json(), { items: [], next_cursor: null })
    const stolen = await taskward.call('GET', `/api/v1/tasks/${id}`, { token: bobs })
    assert.equal(stolen.status, 404, stolen.text)

    const own = await taskward.call('GET', '/api/v1/tasks', { token })
    assert.deepEqual(own.json().items.map((task) => task.title), ['Buy milk'])
  })

  test('refuses the session token, and says what to send instead', async () => {
    for (const token of [alice.sessionToken, alice.cookies['better-auth.session_token']]) {
      assertProblem(await me(token), 401, 'session_token_not_jwt')
    }
  })

  test('refuses the cookie cache, though the same key signed it', async () => {
    const cached = alice.cookies['better-auth.session_data']
    assert.equal(part(cached, 0).typ, 'better-auth.session-cache+jwt')
    assertProblem(await me(cached), 401, 'session_cache_not_jwt')
  })

  test('needs no restart when the key rotates', async () => {
    const old = await alice.token()
    assert.equal((await me(old)).status, 200)
    issuer.rotate('ES256')
    const fresh = await alice.token()
    assert.notEqual(part(fresh, 0).kid, part(old, 0).kid)
    const answer = await me(fresh)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.json().user_id, alice.user.id)
    assert.equal((await me(old)).status, 200)
  })

  test('refuses a token that was changed', async () => {
    const [header, , signature] = (await alice.token()).split('.')
    const claims = { ...part(await alice.token(), 1), sub: 'somebody-else' }
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
    assertProblem(await me([header, payload, signature].join('.')), 401, 'bad_signature')
    assertProblem(await me(undefined), 401, 'token_missing')
  })
})

test('a server started before its issuer accepts the first token within a second of its start', async (t) => {
  const port = await freePort()
  const taskward = await startTaskward({ BETTER_AUTH_URL: `http://127.0.0.1:${port}` }, isAlive)
  t.after(() => taskward.stop())
  // Long enough for the pauses between its attempts to reach their maximum.
  await sleep(3500)

  const issuer = await startIssuer({ port })
  t.after(() => issuer.stop())
  const end = Date.now() + 1000
  const alice = await signUp(issuer.url, 'alice')
  const token = await alice.token()
  // On a slow machine, the sign-up may take the second; then the first request must succeed.
  for (;;) {
    const sent = Date.now()
    const answer = await taskward.call('GET', '/api/v1/me', { token })
    if (answer.status === 200) break
    assertProblem(answer, 503, 'keys_unavailable')
    assert.ok(answer.headers.has('retry-after'))
    assert.ok(sent < end, `not accepted within a second: ${answer.text}`)
    await sleep(20)
  }
})
