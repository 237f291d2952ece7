// The example as its README starts it: one command, with free ports and a folder of its own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = join(import.meta.dirname, '../../..')
const START_LIMIT = 180_000 // it may have to be built

/** A port that nobody listens on, a moment ago at least. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Starts Taskward and the example. With DATABASE_URL both live in that PostgreSQL. `settings` are environment variables.
 * `stop` ends both as Ctrl-C does.
 */
export async function startExample(settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'taskward-example-'))
  const port = settings.PORT ?? (await freePort())
  const taskwardPort = settings.TASKWARD_PORT ?? (await freePort())
  const child = spawn(join(root, 'examples/nextjs/start'), [], {
    env: {
      ...process.env,
      PORT: String(port),
      TASKWARD_PORT: String(taskwardPort),
      DATA_FOLDER: folder,
      TASKWARD_BIN: resolve(process.env.TASKWARD_BIN ?? join(root, 'target/debug/taskward')),
      SHUTDOWN_DELAY_SECONDS: '0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stdout.on('data', (text) => (log += text))
  child.stderr.on('data', (text) => (log += text))
  const kill = () => child.kill('SIGTERM')
  process.once('exit', kill)

  async function stop() {
    if (child.exitCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGINT')
      await gone
    }
    process.off('exit', kill)
    await rm(folder, { recursive: true, force: true })
    return child.exitCode // 0 if both have ended well
  }

  const end = Date.now() + START_LIMIT
  while (!log.includes('Ctrl-C ends both')) {
    if (child.exitCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`The example did not start:\n${log}`)
    }
    await sleep(50)
  }
  return { url: `http://localhost:${port}`, taskwardUrl: `http://localhost:${taskwardPort}`, stop, log: () => log }
}
