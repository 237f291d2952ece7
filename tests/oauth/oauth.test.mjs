// How an agent that knows only the address gets a token to act for a person: Taskward is the protected resource, a real
// Better Auth the authorization server, and the official SDKs are the clients.
//
// cargo build && cd tests/oauth && npm ci && npm test

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { freePort, startTaskward } from '../support/server.mjs'
import { SDKS, agent } from './agent.mjs'
import { person, startIssuer } from './issuer.mjs'

const OTHER = 'https://other.example.com/mcp'
const REDIRECT = 'http://127.0.0.1:5555/callback'

let issuer, taskward, resource, alice, bob
before(async () => {
  const PORT = String(await freePort())
  const PUBLIC_URL = `http://127.0.0.1:${PORT}`
  resource = `${PUBLIC_URL}/mcp`
  // Two servers trust this authorization server; we are one of them.
  issuer = await startIssuer([resource, OTHER])
  taskward = await startTaskward({ BETTER_AUTH_URL: issuer.url, PORT, PUBLIC_URL })
  alice = await person(issuer.url, 'alice')
  bob = await person(issuer.url, 'bob')
})
after(async () => {
  await taskward?.stop()
  await issuer?.stop()
})

/** A JSON-RPC request of revision 2025-11-25, which needs no handshake where no session is kept. */
async function rpc(token, method, params = {}) {
  const answer = await fetch(resource, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const body = await answer.json()
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body }
}
const callTool = (token, name, args = {}) => rpc(token, 'tools/call', { name, arguments: args })
const addTask = (token, title) => callTool(token, 'add_tasks', { tasks: [{ title }] })
const titles = (result) => result.structuredContent.tasks.map((task) => task.title)

/** The parameters of a challenge (RFC 9110 §11.2). */
const parameters = (challenge) => Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((m) => m.slice(1)))

/** A token got by hand: registration (RFC 7591), a code with PKCE (RFC 7636), for one resource (RFC 8707). */
async function tokenFor(someone, { resource, scope = 'tasks:read tasks:write', consent }) {
  const metadata = await (await fetch(`${issuer.url}/.well-known/oauth-authorization-server/api/auth`)).json()
  const registration = {
    client_name: 'By hand',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  }
  const registered = await fetch(metadata.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(registration),
  })
  const { client_id } = await registered.json()
  const code_verifier = randomBytes(32).toString('base64url')
  const request = new URL(metadata.authorization_endpoint)
  request.search = new URLSearchParams({
    response_type: 'code',
    client_id,
    redirect_uri: REDIRECT,
    scope,
    resource,
    state: 'x',
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const { callback } = await someone.authorize(request, consent)
  const form = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code'),
    redirect_uri: REDIRECT,
    client_id,
    code_verifier,
    resource,
  }
  const answer = await fetch(metadata.token_endpoint, { method: 'POST', body: new URLSearchParams(form) })
  assert.equal(answer.status, 200, await answer.clone().text())
  return answer.json()
}

describe('without a token', () => {
  test('the challenge tells a client where to get a token', async () => {
    const { status, challenge, body } = await rpc(undefined, 'tools/list')
    assert.deepEqual([status, body.code], [401, 'token_missing'])
    assert.match(challenge, /^Bearer /)
    const { resource_metadata, scope } = parameters(challenge)
    assert.equal(scope, 'tasks:read tasks:write')
    const metadata = await (await fetch(resource_metadata)).json()
    assert.equal(metadata.resource, resource)
    assert.deepEqual(metadata.authorization_servers, [`${issuer.url}/api/auth`])
    // The authorization server is the one that it says it is (RFC 8414 §3.3).
    const server = await (await fetch(`${issuer.url}/.well-known/oauth-authorization-server/api/auth`)).json()
    assert.equal(server.issuer, metadata.authorization_servers[0])
    for (const scope of metadata.scopes_supported) assert.ok(server.scopes_supported.includes(scope), scope)
  })
})

describe('with a token of the authorization server', () => {
  test('an agent acts for the person who agreed, and nobody else', async () => {
    const { access_token: hers } = await tokenFor(alice, { resource })
    const { access_token: his } = await tokenFor(bob, { resource })
    const added = await addTask(hers, 'Buy milk')
    assert.equal(added.status, 200, JSON.stringify(added.body))
    assert.deepEqual(titles((await callTool(hers, 'find_tasks')).body.result), ['Buy milk'])
    assert.deepEqual(titles((await callTool(his, 'find_tasks')).body.result), [])
    // It is her list, over MCP and over REST.
    const list = await taskward.call('GET', '/api/v1/tasks', { token: await alice.token() })
    assert.deepEqual(list.json().items.map((task) => [task.title, task.user_id]), [['Buy milk', alice.user.id]])
  })

  test('the token of the front end works as well: it is the same person', async () => {
    const found = await callTool(await alice.token(), 'find_tasks')
    assert.deepEqual(titles(found.body.result), ['Buy milk'])
  })

  test('the token of the agent works over REST as well, and getMe shows its user', async () => {
    const { access_token } = await tokenFor(alice, { resource, scope: 'tasks:read' })
    const me = await taskward.call('GET', '/api/v1/me', { token: access_token })
    assert.equal(me.status, 200, me.text)
    const { user_id, issuer: iss, scopes } = me.json()
    assert.deepEqual({ user_id, iss, scopes }, { user_id: alice.user.id, iss: `${issuer.url}/api/auth`, scopes: ['tasks:read'] })
  })

  test('a read-only token may not write, and the challenge names the scopes', async () => {
    const { access_token } = await tokenFor(alice, { resource, consent: { scope: 'tasks:read' } })
    assert.deepEqual(titles((await callTool(access_token, 'find_tasks')).body.result), ['Buy milk'])
    const { status, challenge, body } = await addTask(access_token, 'Buy a yacht')
    assert.deepEqual([status, body.code], [403, 'insufficient_scope'])
    const { error, scope, resource_metadata } = parameters(challenge)
    // Both scopes: a client that asks for exactly these would otherwise lose reading.
    assert.deepEqual([error, scope], ['insufficient_scope', 'tasks:read tasks:write'])
    assert.match(resource_metadata, /\/\.well-known\/oauth-protected-resource\/mcp$/)
    assert.deepEqual(titles((await callTool(access_token, 'find_tasks')).body.result), ['Buy milk'])
  })

  test('a token for another server is refused', async () => {
    const { access_token } = await tokenFor(alice, { resource: OTHER })
    const { status, challenge, body } = await callTool(access_token, 'find_tasks')
    assert.deepEqual([status, body.code], [401, 'wrong_audience'])
    assert.equal(parameters(challenge).error, 'invalid_token')
  })

  test('an id token is refused: it is for the client, not for this server', async () => {
    const { id_token } = await tokenFor(alice, { resource, scope: 'openid tasks:read' })
    const { status, body } = await callTool(id_token, 'find_tasks')
    assert.deepEqual([status, body.code], [401, 'wrong_audience'])
  })
})

for (const [name, sdk] of Object.entries(SDKS)) {
  describe(`the TypeScript SDK ${name}`, () => {
    test('gets from the address to the tasks by itself', async (t) => {
      const carol = await person(issuer.url, `carol-${name.slice(0, 2)}`)
      const assistant = agent(sdk, resource, carol)
      t.after(assistant.close)
      await assistant.connect()
      await assistant.call('add_tasks', { tasks: [{ title: 'Water the plants' }] })
      assert.deepEqual(titles(await assistant.call('find_tasks')), ['Water the plants'])
      assert.deepEqual(assistant.asked, [sdk.lasts ? 'tasks:read tasks:write offline_access' : 'tasks:read tasks:write'])
      assert.deepEqual(assistant.requests.slice(0, 6), [
        'POST /mcp 401',
        'GET /.well-known/oauth-protected-resource/mcp 200',
        'GET /.well-known/oauth-authorization-server/api/auth 200',
        'POST /api/auth/oauth2/register 201',
        'POST /api/auth/oauth2/token 200',
        'POST /mcp 200',
      ])
      const list = await taskward.call('GET', '/api/v1/tasks', { token: await carol.token() })
      assert.deepEqual(list.json().items.map((task) => task.title), ['Water the plants'])
    })

    test('asks for another scope when it needs one, and keeps those it had', async (t) => {
      const dave = await person(issuer.url, `dave-${name.slice(0, 2)}`)
      const assistant = agent(sdk, resource, dave, [{ scope: 'tasks:read' }, {}])
      t.after(assistant.close)
      await assistant.connect()
      assert.deepEqual(titles(await assistant.call('find_tasks')), [])
      assert.equal(assistant.saved.tokens.scope, 'tasks:read')
      await assistant.call('add_tasks', { tasks: [{ title: 'Water the plants' }] })
      assert.equal(assistant.asked.length, 2)
      assert.deepEqual(titles(await assistant.call('find_tasks')), ['Water the plants'])
    })

    test('continues when its token has expired', async (t) => {
      const frank = await person(issuer.url, `frank-${name.slice(0, 2)}`)
      const assistant = agent(sdk, resource, frank, [{}, {}])
      t.after(assistant.close)
      await assistant.connect()
      const { tokens } = assistant.saved
      tokens.access_token = tokens.access_token.slice(0, -8)
      assert.deepEqual(titles(await assistant.call('find_tasks')), [])
      // With a refresh token, the person does not have to agree again.
      assert.equal(assistant.asked.length, sdk.lasts ? 1 : 2)
    })

    test('gets nothing if the person does not agree', async (t) => {
      const erin = await person(issuer.url, `erin-${name.slice(0, 2)}`)
      const assistant = agent(sdk, resource, erin, [{ accept: false }])
      t.after(assistant.close)
      await assert.rejects(assistant.connect(), /access_denied/)
      assert.equal(assistant.saved.tokens, undefined)
    })
  })
}
