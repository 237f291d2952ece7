// Taskward in development mode, as a newcomer starts it: nothing set but a free port.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const binary = resolve(process.env.TASKWARD_BIN ?? join(import.meta.dirname, '../../target/debug/taskward'))

/** Starts the server; `link` and `token` are what it printed for people. */
export async function startTaskward() {
  const folder = await mkdtemp(join(tmpdir(), 'taskward-browser-'))
  const env = { PATH: process.env.PATH, HOME: folder, PORT: process.env.PORT ?? '0' }
  const child = spawn(binary, [], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  let log = ''
  let failure
  child.once('error', (error) => (failure = error))
  child.stdout.on('data', (text) => (printed += text))
  child.stderr.on('data', (text) => (log += text))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)

  async function stop() {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      const late = setTimeout(kill, 5000)
      await ended
      clearTimeout(late)
    }
    process.off('exit', kill)
    await rm(folder, { recursive: true, force: true })
  }

  for (const end = Date.now() + 20_000; ; await sleep(20)) {
    const link = /Swagger UI\s+(http\S+)/.exec(printed)?.[1]
    const token = /Token\s+(eyJ\S+)/.exec(printed)?.[1]
    if (link && token) return { link, token, stop }
    if (failure || child.exitCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`${binary} did not start: ${failure ?? ''}\n${printed}\n${log}`)
    }
  }
}
