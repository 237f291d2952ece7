// The example as its README starts it: one command, with free ports and a folder of its own.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, newFolder, programPath, startProcess } from '../../support/server.mjs'

const start = join(import.meta.dirname, '../../../examples/nextjs/start')
const START_LIMIT = 180_000 // it may have to be built

/**
 * Starts Taskward and the example. With DATABASE_URL both live in that PostgreSQL. `settings` are environment variables.
 * `stop` ends both as Ctrl-C does, and resolves to the exit code: 0 if both have ended well.
 */
export async function startExample(settings = {}) {
  const folder = await newFolder()
  const remove = () => rm(folder, { recursive: true, force: true })
  const port = settings.PORT ?? (await freePort())
  const taskwardPort = settings.TASKWARD_PORT ?? (await freePort())
  const example = await startProcess(start, {
    env: {
      ...process.env,
      PORT: String(port),
      TASKWARD_PORT: String(taskwardPort),
      DATA_FOLDER: folder,
      TASKWARD_BIN: programPath(),
      SHUTDOWN_DELAY_SECONDS: '0',
      ...settings,
    },
    started: ({ output }) => output().includes('Ctrl-C ends both'),
    limit: START_LIMIT,
    signal: 'SIGINT',
  }).catch(async (error) => {
    await remove()
    throw error
  })
  return {
    url: `http://localhost:${port}`,
    taskwardUrl: `http://localhost:${taskwardPort}`,
    log: example.output,
    async stop() {
      const code = await example.stop()
      await remove()
      return code
    },
  }
}
