// The official TypeScript SDKs, each used like a host that already has a token.

import { execFileSync } from 'node:child_process'

import * as v2 from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const { TASKWARD_MCP_URL, TASKWARD_HOME, TASKWARD_BIN } = process.env
if (!TASKWARD_MCP_URL) throw new Error('tests/mcp/run starts the server and sets TASKWARD_MCP_URL')

const modern = (options) => new v2.Client({ name: 'test', version: '1' }, options)

/** By name: how a client is made, and the revision that it must negotiate. */
export const SDKS = {
  'v1': { client: () => new Client({ name: 'test', version: '1' }), Transport: StreamableHTTPClientTransport, revision: '2025-11-25' },
  'v2, newest revision': {
    client: () => modern({ versionNegotiation: { mode: 'auto' } }),
    Transport: v2.StreamableHTTPClientTransport,
    revision: '2026-07-28',
  },
  'v2, as it comes': { client: () => modern({}), Transport: v2.StreamableHTTPClientTransport, revision: '2025-11-25' },
}

/** A token of development mode; without a scope it allows everything. */
export function token(user, scope) {
  const more = scope === undefined ? [] : ['--scope', scope]
  const env = { PATH: process.env.PATH, HOME: TASKWARD_HOME }
  return execFileSync(TASKWARD_BIN, ['token', user, ...more], { cwd: TASKWARD_HOME, env, encoding: 'utf8' }).trim()
}

/** A connected client. `change` may change the text of answers on their way. */
export async function connect(sdk, token, change = (text) => text) {
  const client = sdk.client()
  const transport = new sdk.Transport(new URL(TASKWARD_MCP_URL), {
    requestInit: { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } },
    fetch: async (url, init) => {
      const answer = await fetch(url, init)
      const { status, headers } = answer
      const text = await answer.text()
      return new Response([202, 204].includes(status) ? null : change(text), { status, headers })
    },
  })
  await client.connect(transport)
  const call = (name, args = {}) => client.callTool({ name, arguments: args })
  return { client, call, revision: transport.protocolVersion, close: () => client.close() }
}

/** What a model reads. */
export const words = (result) => result.content.map((part) => part.text).join('\n')
