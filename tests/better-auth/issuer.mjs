// A real Better Auth without a database: e-mail and password, the jwt plugin, and its cookie cache as a JWT.
//
// As a program (`npm run issuer`, PORT=3000 by default) it serves Better Auth below /api/auth, and
// `POST /test/rotate[?alg=ES256]` makes it sign with a new key from then on.

import { once } from 'node:events'
import http from 'node:http'
import { pathToFileURL } from 'node:url'

import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'

/**
 * Starts an issuer on loopback; `port` 0 takes a free one.
 *
 * `rotate(alg)` expires all signing keys: the next token is signed by a new key, perhaps with another algorithm. The old
 * ones stay in the key set for 30 days, as in production.
 */
export async function startIssuer({ port = 0 } = {}) {
  const server = http.createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`

  const tables = { user: [], session: [], account: [], verification: [], jwks: [] }
  const keys = { keyPairConfig: { alg: 'EdDSA', crv: 'Ed25519' } }
  const auth = betterAuth({
    baseURL: url,
    secret: 'only for tests, and long enough to be a secret',
    database: memoryAdapter(tables),
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: true, strategy: 'jwt' } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [jwt({ jwks: keys, sessionCookieCache: true })],
  })

  function rotate(alg = 'EdDSA') {
    keys.keyPairConfig = alg === 'EdDSA' ? { alg, crv: 'Ed25519' } : { alg }
    for (const key of tables.jwks) key.expiresAt = new Date(Date.now() - 1)
  }

  const handler = toNodeHandler(auth)
  server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url, url)
    if (request.method === 'POST' && pathname === '/test/rotate') {
      rotate(searchParams.get('alg') ?? undefined)
      return response.writeHead(204).end()
    }
    handler(request, response)
  })

  async function stop() {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { url, rotate, stop }
}

/** Signs a new person up; `token()` fetches a JWT as the front end's `authClient.token()` does. */
export async function signUp(url, name) {
  const answer = await fetch(`${url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ name, email: `${name}@example.test`, password: 'correct horse battery' }),
  })
  if (!answer.ok) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`)
  const { user, token: sessionToken } = await answer.json()
  const cookies = Object.fromEntries(
    answer.headers.getSetCookie().map((line) => line.split(';')[0].split(/=(.*)/s).slice(0, 2)),
  )
  const cookie = Object.entries(cookies).map((pair) => pair.join('=')).join('; ')

  async function token() {
    const answer = await fetch(`${url}/api/auth/token`, { headers: { cookie } })
    if (!answer.ok) throw new Error(`token: ${answer.status} ${await answer.text()}`)
    return (await answer.json()).token
  }
  return { user, sessionToken, cookies, token }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { url } = await startIssuer({ port: Number(process.env.PORT ?? 3000) })
  console.log(`BETTER_AUTH_URL=${url}`)
}
