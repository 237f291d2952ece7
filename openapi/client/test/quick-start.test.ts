// The quick start of README.md, run by Node as it stands there; only the address of the server is another.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'

import { startTaskward } from './support.js'

const root = new URL('../', import.meta.url)
const taskward = await startTaskward()
after(() => taskward.stop())

test('the quick start runs on this Node', async () => {
  const readme = await readFile(new URL('README.md', root), 'utf8')
  const script = /^```js\n\/\/ script\.mjs\n(.*?)^```$/ms.exec(readme)?.[1] ?? ''
  assert.ok(script.includes('http://localhost:8000'), 'no script.mjs in README.md')
  const folder = await mkdtemp(join(tmpdir(), 'taskward-quick-start-'))
  try {
    await mkdir(join(folder, 'node_modules'))
    await symlink(root, join(folder, 'node_modules/taskward-client'))
    await writeFile(join(folder, 'script.mjs'), script.replace('http://localhost:8000', taskward.url))
    const env = { ...process.env, TOKEN: await taskward.token('alice') }
    // A task that is open, for the list.
    const headers = { authorization: `Bearer ${env.TOKEN}`, 'content-type': 'application/json' }
    await fetch(`${taskward.url}/api/v1/tasks`, { method: 'POST', headers, body: '{"title":"Water the plants"}' })
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['script.mjs'], { cwd: folder, env })
    assert.equal(stderr, '')
    assert.equal(stdout, '1 Water the plants\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
