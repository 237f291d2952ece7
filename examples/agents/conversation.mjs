// Writes the table of tools and the conversation in README.md, from a server that runs.
//
//   tests/mcp/run node examples/agents/conversation.mjs            writes them
//   tests/mcp/run node examples/agents/conversation.mjs --check    fails if they are not what comes out now
//
// What the person says and which tool is called with what is written here, as a model would choose it: there is none
// in a test. What the tools answer is what the server answered.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const { TASKWARD_MCP_URL, TASKWARD_BIN, TASKWARD_HOME } = process.env
const README = join(import.meta.dirname, 'README.md')
const MEND = 'tests/mcp/run node examples/agents/conversation.mjs'
const time_zone = 'Europe/Berlin'

const TURNS = [
  ['Remind me to buy milk tomorrow, and to call mum. That one is important.', [
    ['add_tasks', {
      tasks: [{ title: 'Buy milk', due_date: 'tomorrow' }, { title: 'Call mum', priority: 'high' }],
      time_zone,
      request_id: 'turn-1',
    }],
  ], 'Noted: milk for tomorrow, and calling your mum, marked as important.'],
  ['The answer is lost on its way, so the host sends the same call again.', [
    ['add_tasks', {
      tasks: [{ title: 'Buy milk', due_date: 'tomorrow' }, { title: 'Call mum', priority: 'high' }],
      time_zone,
      request_id: 'turn-1',
    }],
  ], null],
  ['What is on my list?', [['find_tasks', { completed: false, time_zone }]], 'Two things: to call your mum, which is important, and milk, for tomorrow.'],
  ['Make it oat milk, and the day after. I have called mum.', [
    ['update_tasks', { tasks: [{ id: 1, title: 'Buy oat milk', due_date: 'in 2 days' }], time_zone }],
    ['complete_tasks', { ids: [2] }],
  ], 'Done. It was “Buy milk”, if you want it back.'],
  ['Throw them all away.', [['delete_tasks', { ids: [1, 2] }]], 'Both are gone. I can bring them back.'],
  ['No, wait, not the milk!', [['restore_tasks', { ids: [1] }]], 'The oat milk is back on your list.'],
  ['And task 7?', [['get_task', { id: 7 }]], 'There is no task 7 on your list.'],
]

const env = { PATH: process.env.PATH, HOME: TASKWARD_HOME }
const tokenOf = (...scope) => execFileSync(TASKWARD_BIN, ['token', 'conversation', ...scope], { cwd: TASKWARD_HOME, env, encoding: 'utf8' }).trim()
const token = tokenOf()
const client = new Client({ name: 'conversation', version: '1' }, { versionNegotiation: { mode: 'auto' } })
await client.connect(new StreamableHTTPClientTransport(new URL(TASKWARD_MCP_URL), { authProvider: { token: async () => token } }))

/** So that the page stays the same tomorrow: dates are told as if today were 5 February 2026. */
function asOfThePage(text) {
  const day = 24 * 60 * 60 * 1000
  const today = Date.parse(new Intl.DateTimeFormat('sv', { timeZone: time_zone }).format(new Date()))
  const shift = Date.parse('2026-02-05') - today
  const shifted = (date) => new Date(Math.round((Date.parse(date) + shift) / day) * day).toISOString().slice(0, 10)
  return text.replace(/\b\d{4}-\d{2}-\d{2}\b/g, shifted)
}

/** Which scopes a tool needs: those without which the server refuses it. Scopes come before arguments, so nothing is done. */
async function scopesOf(tool) {
  const needed = []
  for (const [scope, other] of [['tasks:read', 'tasks:write'], ['tasks:write', 'tasks:read']]) {
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool.name, arguments: { nothing: true } } }
    const headers = {
      Authorization: `Bearer ${tokenOf('--scope', other)}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
    }
    const answer = await fetch(TASKWARD_MCP_URL, { method: 'POST', headers, body: JSON.stringify(call) })
    if (answer.status === 403) needed.push(`\`${scope}\``)
  }
  return needed.join(', ')
}

async function toolTable(tools) {
  const bytes = (value) => Buffer.byteLength(JSON.stringify(value))
  const rows = await Promise.all(tools.map(async (tool) => {
    const { readOnlyHint, destructiveHint, idempotentHint } = tool.annotations
    const hints = [readOnlyHint && 'reads only', destructiveHint && 'destructive', idempotentHint && !readOnlyHint && 'idempotent']
    return `| \`${tool.name}\` | ${tool.title ?? ''} | ${await scopesOf(tool)} | ${hints.filter(Boolean).join(', ')} | ${bytes(tool)} |`
  }))
  return [
    '| tool | | scope | hints | bytes |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    `All of \`tools/list\`: ${bytes({ tools })} bytes.`,
  ].join('\n')
}

async function conversation() {
  const lines = []
  for (const [person, calls, assistant] of TURNS) {
    lines.push(assistant === null ? `*${person}*` : `**Alice:** ${person}`, '', '```text')
    for (const [name, args] of calls) {
      const result = await client.callTool({ name, arguments: args })
      const words = result.content.map((part) => part.text).join('\n')
      lines.push(`${name} ${JSON.stringify(args)}`, ...words.split('\n').map((line) => (line ? `  ${line}` : '')))
    }
    lines.push('```', '')
    if (assistant) lines.push(`**Assistant:** ${assistant}`, '')
  }
  return asOfThePage(lines.join('\n').trimEnd())
}

const { tools } = await client.listTools()
const parts = { tools: await toolTable(tools), conversation: await conversation() }
await client.close()

const old = readFileSync(README, 'utf8')
let page = old
for (const [name, text] of Object.entries(parts)) {
  page = page.replace(new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`), (_, begin, end) => `${begin}${text}\n${end}`)
}
if (process.argv.includes('--check')) assert.equal(old, page, `README.md is not what comes out now; mend it: ${MEND}`)
else writeFileSync(README, page)
console.log(`${tools.length} tools, ${TURNS.length} turns: README.md is ${old === page ? 'as it was' : 'new'}`)
