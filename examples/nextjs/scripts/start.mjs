// Builds what is missing or older than its sources, then runs Taskward and the example together: `./start`.
//
//   PORT=3000 TASKWARD_PORT=8000   where both listen
//   DATABASE_URL=postgres://…      tasks and accounts in one PostgreSQL, instead of in the folder .data
//   DATA_FOLDER=…                  another folder than .data
//   TASKWARD_BIN=…                 a Taskward that is built already

import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { build } from './build.mjs'

const example = join(import.meta.dirname, '..')
const data = resolve(process.env.DATA_FOLDER ?? join(example, '.data'))
const port = process.env.PORT ?? '3000'
const taskwardPort = process.env.TASKWARD_PORT ?? '8000'
const url = `http://localhost:${port}`
const taskwardUrl = `http://localhost:${taskwardPort}`

for (const [name, value] of [
  ['PORT', port],
  ['TASKWARD_PORT', taskwardPort],
]) {
  if (await isTaken(value)) fail(`Port ${value} is taken. End what listens there, or set ${name} to another one.`)
}

mkdirSync(data, { recursive: true, mode: 0o700 })
chmodSync(data, 0o700)
const secret = process.env.BETTER_AUTH_SECRET ?? keptSecret()
const forExample = {
  ...process.env,
  BETTER_AUTH_URL: url,
  BETTER_AUTH_SECRET: secret,
  TASKWARD_URL: taskwardUrl,
  DATA_FOLDER: data,
  NEXT_TELEMETRY_DISABLED: '1',
}
const forTaskward = {
  ...process.env,
  BETTER_AUTH_URL: url,
  HOST: '127.0.0.1',
  PORT: taskwardPort,
  // Next prints the address with 127.0.0.1, and people open it there too.
  CORS_ALLOWED_ORIGINS: `${url},http://127.0.0.1:${port}`,
  DATABASE_URL: process.env.DATABASE_URL ?? `sqlite://${join(data, 'tasks.db')}?mode=rwc`,
  RUST_LOG: process.env.RUST_LOG ?? 'warn',
}
// Not for Taskward: it would trust tokens that are signed with Better Auth's secret. The others it does not know.
for (const name of ['BETTER_AUTH_SECRET', 'TASKWARD_BIN', 'TASKWARD_PORT']) delete forTaskward[name]

const binary = build(forExample)

const children = []
let ending = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(0))

if (process.env.DATABASE_URL) {
  const { status } = spawnSync(binary, ['migrate', 'up'], { cwd: data, env: forTaskward, stdio: 'inherit' })
  if (status !== 0) fail('Taskward could not migrate the database of DATABASE_URL.')
}
const next = join(example, 'node_modules/next/dist/bin/next')
run('The example', process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', port], {
  cwd: example,
  env: forExample,
})
// Taskward would also wait for the keys of the example, but complain meanwhile.
await isUp(`${url}/sign-in`)
if (!ending) run('Taskward', binary, [], { cwd: data, env: forTaskward })
await isUp(`${taskwardUrl}/readyz`)
if (!ending) console.log(`\n  Your tasks:    ${url}\n  Taskward:      ${taskwardUrl}/docs/\n\n  Ctrl-C ends both.\n`)

/** Starts a program, without which the other is of no use. In a group of its own, so that Ctrl-C comes from here only. */
function run(name, command, args, options) {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
  children.push(child)
  child.once('error', (error) => {
    console.error(`${name} cannot be started: ${error.message}`)
    end(1)
  })
  child.once('exit', (code, signal) => {
    if (ending) return
    console.error(`${name} has ended (${signal ?? code}); its own messages are above.`)
    end(1)
  })
}

async function end(status) {
  if (ending) return
  ending = true
  await Promise.all(children.map(stop))
  process.exit(status)
}

async function stop(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await gone
  clearTimeout(late)
}

async function isUp(address) {
  const patience = Date.now() + 30_000
  let told = false
  while (!ending) {
    const answer = await fetch(address).catch(() => undefined)
    if (answer?.ok) return
    if (Date.now() > patience && !told) {
      const state = answer ? `answers with status ${answer.status}` : 'does not answer'
      console.error(`Still waiting: ${address} ${state}. Perhaps its own messages are above; Ctrl-C ends both.`)
      told = true
    }
    await sleep(100)
  }
}

/** Whether anybody listens there, on IPv4 or IPv6. */
async function isTaken(port) {
  const hosts = await Promise.all(['127.0.0.1', '::1'].map((host) => connects(host, Number(port))))
  return hosts.some(Boolean)
}

function connects(host, port) {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port })
    const done = (result) => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

/** Made at the first start, and kept: with another one, all sessions would end. */
function keptSecret() {
  const file = join(data, 'secret')
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
