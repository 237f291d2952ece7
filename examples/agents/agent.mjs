// A script that acts for a person: adds a task, then says what is due within a week. No model is needed for that.
//
//   export TASKWARD_MCP_URL=http://localhost:8000/mcp TASKWARD_TOKEN=…
//   npm ci && node agent.mjs "Buy milk" tomorrow

import { randomUUID } from 'node:crypto'

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const { TASKWARD_MCP_URL = 'http://localhost:8000/mcp', TASKWARD_TOKEN } = process.env
const [title, due_date] = process.argv.slice(2)
// "tomorrow" is where the person is.
const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone

const client = new Client({ name: 'example', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
await client.connect(
  new StreamableHTTPClientTransport(new URL(TASKWARD_MCP_URL), { authProvider: { token: async () => TASKWARD_TOKEN } }),
)

/** Calls a tool; a fault is told in words. */
async function call(name, args) {
  const result = await client.callTool({ name, arguments: args })
  if (result.isError) throw new Error(result.content.map((part) => part.text).join('\n'))
  return result.structuredContent
}

if (title) {
  // Sent again with the same id after a lost answer, it adds nothing twice.
  const request_id = randomUUID()
  await call('add_tasks', { tasks: [{ title, due_date }], time_zone, request_id })
}
const { tasks } = await call('find_tasks', { completed: false, due_to: 'in 7 days', sort: 'due_date', time_zone })
for (const { id, title, due_date } of tasks) console.log(`${due_date}  ${title}  (task ${id})`)
await client.close()
