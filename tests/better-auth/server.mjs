// Taskward as a child process, on a free port and an own SQLite file.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const binary = resolve(process.env.TASKWARD_BIN ?? join(import.meta.dirname, '../../target/debug/taskward'))
const START_LIMIT = 20_000
const STOP_LIMIT = 5_000

/** A port that nobody listens on, a moment ago at least. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Starts Taskward and waits until it is alive (not until it is ready: its issuer may not be there).
 * `settings` are set besides. `call` makes a request; `stop` ends the process and removes its files.
 */
export async function startTaskward(betterAuthUrl, settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'taskward-better-auth-'))
  const port = Number(settings.PORT ?? (await freePort()))
  const url = `http://127.0.0.1:${port}`
  const log = []
  // An own environment and folder, so that no .env and no AUTH_… of the developer gets in.
  const child = spawn(binary, [], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATABASE_URL: `sqlite://${join(folder, 'tasks.db')}?mode=rwc`,
      BETTER_AUTH_URL: betterAuthUrl,
      RUST_LOG: process.env.RUST_LOG ?? 'info',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let failure
  child.once('error', (error) => (failure = error))
  child.stdout.on('data', (text) => log.push(text))
  child.stderr.on('data', (text) => log.push(text))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)

  async function stop() {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(kill, STOP_LIMIT)
      await ended
      clearTimeout(late)
    }
    process.off('exit', kill)
    await rm(folder, { recursive: true, force: true })
  }

  async function call(method, path, { token, body } = {}) {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    const { status, headers } = answer
    return { status, headers, text, json: () => JSON.parse(text) }
  }

  for (const end = Date.now() + START_LIMIT; ; await sleep(20)) {
    const alive = await call('GET', '/healthz').catch(() => undefined)
    if (alive?.status === 200) return { url, call, stop }
    if (failure || child.exitCode !== null || child.signalCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`${binary} did not start: ${failure ?? ''}\n${log.join('')}`)
    }
  }
}
