// Starts and stops Taskward as a child process of a test. All Node tests use it; it needs no packages. Shell scripts use
// `program` and `server.sh` beside this file.

import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const START_LIMIT = 20_000
const STOP_LIMIT = 15_000

/** The path of the program, by the script `program` beside this file. */
export function programPath() {
  const script = join(import.meta.dirname, 'program')
  return execFileSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A new empty folder. */
export const newFolder = () => mkdtemp(join(tmpdir(), 'taskward-test-'))

/**
 * Starts a program and waits until `started()` says that it serves; throws with its output if it ends before, or takes
 * longer than `limit` ms. `stop` asks it to end by `signal`, kills it if it does not, and resolves to its exit code.
 */
export async function startProcess(command, { cwd, env, started, limit = START_LIMIT, signal = 'SIGTERM' }) {
  const child = spawn(command, [], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let failure
  child.once('error', (error) => (failure = error))
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  const hasEnded = () => failure !== undefined || child.exitCode !== null || child.signalCode !== null
  // Also when the test is interrupted or throws: no process may outlive it.
  const end = () => child.kill(signal)
  process.once('exit', end)

  async function stop() {
    if (!hasEnded()) {
      const ended = once(child, 'exit')
      end()
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT)
      await ended
      clearTimeout(late)
    }
    process.off('exit', end)
    return child.exitCode
  }

  /** Ends it at once (SIGKILL), as a crash or a loss of power does. */
  async function kill() {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    process.off('exit', end)
  }

  const running = { output: () => output, stop, kill }
  for (const deadline = Date.now() + limit; ; await sleep(20)) {
    if (!hasEnded() && (await started(running))) return running
    if (hasEnded() || Date.now() > deadline) {
      await stop()
      throw new Error(`${command} did not start: ${failure ?? ''}\n${output}`)
    }
  }
}

/** Whether a GET of this address returns 200. */
const answers = async (address) => (await fetch(address).catch(() => undefined))?.status === 200

/** For `started`: the server answers, but its issuer or its database may be missing. */
export const isAlive = ({ url }) => answers(`${url}/healthz`)
/** For `started`: the server is ready. */
export const isReady = ({ url }) => answers(`${url}/readyz`)

/**
 * Starts Taskward in a new folder with a database of its own, and waits until `started` says that it serves.
 * `settings` are all the settings it gets, so that no .env and no variable of the developer counts. Without an issuer
 * among them it runs in development mode.
 */
export async function startTaskward(settings = {}, started = isReady) {
  const program = programPath()
  const folder = await newFolder()
  const port = Number(settings.PORT ?? (await freePort()))
  const url = `http://127.0.0.1:${port}`
  const env = { PATH: process.env.PATH, HOME: folder, SHUTDOWN_DELAY_SECONDS: '0', ...settings, PORT: String(port) }
  const remove = () => rm(folder, { recursive: true, force: true })
  const run = () => startProcess(program, { cwd: folder, env, started: ({ output }) => started({ url, output }) })
  let running = await run().catch(async (error) => {
    await remove()
    throw error
  })

  return {
    url,
    port,
    output: () => running.output(),
    /** Ends it at once, with SIGKILL. */
    kill: () => running.kill(),
    /** Starts it again after `kill`, at the same address and with the same database. */
    async restart() {
      running = await run()
    },
    /** Sends a request; returns the answer with the body as text and, on demand, as JSON. */
    async call(method, path, { token, body } = {}) {
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
    },
    /** A token of development mode, by `taskward token`. */
    async token(user, ...options) {
      const { stdout } = await promisify(execFile)(program, ['token', ...options, user], { cwd: folder, env })
      return stdout.trim()
    },
    async stop() {
      await running.stop()
      await remove()
    },
  }
}
