// Agents that know only the address of the MCP endpoint: the two official TypeScript SDKs with their own OAuth clients.
// This file adds what every host adds: storage, and a person with a browser.

import { randomUUID } from 'node:crypto'

import * as v2 from '@modelcontextprotocol/client'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const REDIRECT = 'http://127.0.0.1:5555/callback'

/**
 * The SDKs by name: how a client is made, and how the answer of the authorization server is handed in. One that `lasts`
 * asks for a refresh token by itself.
 */
export const SDKS = {
  'v1 (@modelcontextprotocol/sdk)': {
    Client,
    Transport: StreamableHTTPClientTransport,
    UnauthorizedError,
    finish: (transport, callback) => transport.finishAuth(callback.searchParams.get('code')),
  },
  'v2 (@modelcontextprotocol/client)': {
    Client: v2.Client,
    Transport: v2.StreamableHTTPClientTransport,
    UnauthorizedError: v2.UnauthorizedError,
    options: { versionNegotiation: { mode: 'auto' } },
    lasts: true,
    finish: (transport, callback) => transport.finishAuth(callback.searchParams),
  },
}

/**
 * An agent of `owner`, who agrees to what it asks for as `consent` says, each time in turn. `requests` are those
 * that it has made, `asked` the scopes for which it has asked its owner.
 */
export function agent(sdk, address, owner, consent = [{}]) {
  const saved = {}
  const requests = []
  const asked = []
  let opened
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadata: {
      client_name: 'An agent',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      // Better Auth takes a client on somebody's own machine for what it is only if it says so; v2 does by itself.
      application_type: 'native',
    },
    state: () => (saved.state = randomUUID()),
    clientInformation: () => saved.client,
    saveClientInformation: (client) => (saved.client = client),
    tokens: () => saved.tokens,
    saveTokens: (tokens) => (saved.tokens = tokens),
    codeVerifier: () => saved.verifier,
    saveCodeVerifier: (verifier) => (saved.verifier = verifier),
    discoveryState: () => saved.discovery,
    saveDiscoveryState: (discovery) => (saved.discovery = discovery),
    redirectToAuthorization: (url) => (opened = url),
  }
  const recordingFetch = async (url, init) => {
    const answer = await fetch(url, init)
    requests.push(`${init?.method ?? 'GET'} ${new URL(url).pathname} ${answer.status}`)
    return answer
  }
  let client, transport

  /** Does it, and if its owner has to agree first, has them asked and does it again. */
  async function authorized(work) {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof sdk.UnauthorizedError) || opened === undefined || consent.length === 0) throw error
        const url = opened
        opened = undefined
        asked.push(url.searchParams.get('scope'))
        const { callback } = await owner.authorize(url, consent.shift())
        if (callback.searchParams.get('state') !== saved.state) throw new Error('this is the answer to another question')
        if (callback.searchParams.has('error')) throw new Error(callback.searchParams.get('error'))
        await sdk.finish(transport, callback)
      }
    }
  }

  const connect = () =>
    authorized(async () => {
      client = new sdk.Client({ name: 'agent', version: '1' }, sdk.options)
      transport = new sdk.Transport(new URL(address), { authProvider: provider, fetch: recordingFetch })
      await client.connect(transport)
    })
  const call = (name, args = {}) => authorized(() => client.callTool({ name, arguments: args }))
  const close = () => client?.close()
  return { connect, call, close, tools: () => client.listTools(), requests, asked, saved }
}
