// Taskward in development mode as a child process, with an own SQLite file, and what stands between it and a client.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const binary = resolve(process.env['TASKWARD_BIN'] ?? join(import.meta.dirname, '../../../../target/debug/taskward'))
const START_LIMIT = 20_000
const STOP_LIMIT = 5_000

/** A port that nobody listens on, a moment ago at least. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Server {
  url: string
  port: number
  /** A token of the user, by `taskward token`. */
  token(user: string, ...options: string[]): Promise<string>
  stop(): Promise<void>
}

/** Starts Taskward and waits until it is ready. */
export async function startTaskward(settings: Record<string, string> = {}): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'taskward-client-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  // An own environment and folder, so that no .env and no settings of the developer get in.
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    PORT: String(port),
    DATABASE_URL: `sqlite://${join(folder, 'tasks.db')}?mode=rwc`,
    RATE_LIMIT: 'off',
    SHUTDOWN_DELAY_SECONDS: '0',
    ...settings,
  }
  const child: ChildProcess = spawn(binary, [], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const log: string[] = []
  let failure: Error | undefined
  child.once('error', (error) => (failure = error))
  child.stdout?.on('data', (text) => log.push(String(text)))
  child.stderr?.on('data', (text) => log.push(String(text)))
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

  async function token(user: string, ...options: string[]) {
    const { stdout } = await promisify(execFile)(binary, ['token', ...options, user], { cwd: folder, env })
    return stdout.trim()
  }

  for (const end = Date.now() + START_LIMIT; ; await sleep(20)) {
    const ready = await fetch(`${url}/readyz`).catch(() => undefined)
    if (ready?.status === 200) return { url, port, token, stop }
    if (failure || child.exitCode !== null || child.signalCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`${binary} did not start: ${failure ?? ''}\n${log.join('')}`)
    }
  }
}

/** A request as it was sent, and the status of its answer (undefined if there was none). */
export interface Sent {
  method: string
  url: URL
  headers: Headers
  at: number
  status: number | undefined
}

/** A fetch that notes what is sent. `before` may give an answer instead of the server, or throw. */
export function recordingFetch(before?: (request: Request, count: number) => Response | undefined) {
  const sent: Sent[] = []
  const recording = (async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init)
    const { method, headers } = request
    const entry: Sent = { method, url: new URL(request.url), headers, at: Date.now(), status: undefined }
    sent.push(entry)
    const response = before?.(request, sent.length) ?? (await fetch(request))
    entry.status = response.status
    return response
  }) as typeof fetch
  return { sent, fetch: recording }
}

/**
 * A TCP proxy in front of the server. While `cuts` is above zero, a connection is cut when the server has answered
 * and before the client has got a byte of it (`kept` bytes, if that is set: in the middle of the answer).
 */
export async function startProxy(target: number) {
  const proxy = { url: '', cuts: 0, cut: 0, kept: 0, stop }
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const upstream = net.connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {})
    }
    client.on('data', (bytes) => upstream.write(bytes))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    upstream.on('data', (bytes) => {
      if (proxy.cuts > 0) {
        proxy.cuts -= 1
        proxy.cut += 1
        if (proxy.kept > 0) client.end(bytes.subarray(0, proxy.kept))
        else client.resetAndDestroy()
      } else {
        client.write(bytes)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
  return proxy

  async function stop() {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
}
