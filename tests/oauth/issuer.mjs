// A real Better Auth as an authorization server (its OAuth provider plugin), without a database, and the
// people who sign in there. An app sets this up so that its users can let agents use their tasks.

import { once } from 'node:events'
import http from 'node:http'

import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'

const TABLES = [
  'user', 'session', 'account', 'verification', 'jwks', 'oauthClient', 'oauthAccessToken', 'oauthRefreshToken',
  'oauthConsent', 'oauthResource', 'oauthClientResource', 'oauthClientAssertion',
]

/** Starts it on a free loopback port; it issues tokens for these resources (RFC 8707). */
export async function startIssuer(resources) {
  const server = http.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`
  const auth = betterAuth({
    baseURL: url,
    secret: 'only for tests, and long enough to be a secret',
    database: memoryAdapter(Object.fromEntries(TABLES.map((table) => [table, []]))),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [
      jwt(),
      oauthProvider({
        loginPage: '/sign-in',
        consentPage: '/consent',
        resources,
        scopes: ['openid', 'profile', 'email', 'offline_access', 'tasks:read', 'tasks:write'],
        // An unknown agent registers itself (RFC 7591), as MCP clients do.
        allowDynamicClientRegistration: true,
        allowUnauthenticatedClientRegistration: true,
        clientRegistrationDefaultResources: resources,
      }),
    ],
  })
  server.on('request', toNodeHandler(auth))

  async function stop() {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { url, stop }
}

/** Somebody with an account, and a browser in which they are not signed in yet. */
export async function person(url, name) {
  const credentials = { email: `${name}@example.test`, password: 'correct horse battery' }
  const post = (path, body, cookie = '') =>
    fetch(`${url}/api/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', origin: url, cookie },
      body: JSON.stringify(body),
    })
  const signedUp = await post('/sign-up/email', { name, ...credentials })
  if (!signedUp.ok) throw new Error(`sign-up: ${signedUp.status} ${await signedUp.text()}`)
  const { user } = await signedUp.json()
  let cookie = ''

  const remember = (answer) => {
    const set = answer.headers.getSetCookie().map((line) => line.split(';')[0])
    if (set.length > 0) cookie = set.join('; ')
  }
  const next = async (answer) => {
    remember(answer)
    const location = answer.headers.get('location')
    if (location) return new URL(location, url)
    const body = await answer.json()
    if (!answer.ok || !body.url) throw new Error(`${answer.url}: ${answer.status} ${JSON.stringify(body)}`)
    return new URL(body.url, url)
  }

  /**
   * Opens what a client wants to have opened, signs in, and agrees to what is asked for: to all of it, to
   * some of it (`scope`), or not. Returns the address at which the client is told, and the pages seen.
   */
  async function authorize(authorizationUrl, { accept = true, scope } = {}) {
    const seen = []
    let at = new URL(authorizationUrl)
    for (let pages = 0; pages < 6; pages++) {
      seen.push(at.pathname)
      const oauth_query = at.search.slice(1)
      if (at.origin !== url) return { callback: at, seen }
      if (at.pathname === '/sign-in') at = await next(await post('/sign-in/email', { ...credentials, oauth_query }))
      else if (at.pathname === '/consent') at = await next(await post('/oauth2/consent', { accept, scope, oauth_query }, cookie))
      else at = await next(await fetch(at, { redirect: 'manual', headers: { cookie, accept: 'text/html' } }))
    }
    throw new Error(`no end: ${seen.join(' → ')}`)
  }

  /** The token of the app's own front end. */
  async function token() {
    if (!cookie) remember(await post('/sign-in/email', credentials))
    const answer = await fetch(`${url}/api/auth/token`, { headers: { cookie } })
    if (!answer.ok) throw new Error(`token: ${answer.status} ${await answer.text()}`)
    return (await answer.json()).token
  }
  return { user, authorize, token }
}
