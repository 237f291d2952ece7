// The one command of the README, where it is not PostgreSQL and all ports are not free.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { test } from 'node:test'

import { startExample } from './example.mjs'
import { newPerson, newVisitor, password } from './people.mjs'
import { world } from './world.mjs'

test('without PostgreSQL, accounts, keys and tasks outlive a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'taskward-example-kept-'))
  try {
    const settings = { DATABASE_URL: undefined, DATA_FOLDER: folder }
    const first = await startExample(settings)
    const ada = await newPerson(first, world.browser, 'Ada')
    await ada.create({ title: 'Buy milk' })
    const token = await ada.token()
    await ada.context.close()
    assert.equal(await first.stop(), 0)

    const second = await startExample({ ...settings, PORT: new URL(first.url).port })
    try {
      const { page, context, complaints } = await newVisitor(second, world.browser)
      await page.goto('/')
      await page.getByLabel('E-mail').fill(ada.email)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Buy milk', exact: true }).waitFor()
      assert.deepEqual(complaints, [])
      await context.close()
      // The keys too: a token from before is still good.
      const me = await fetch(`${second.taskwardUrl}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })
      assert.equal(me.status, 200)
    } finally {
      await second.stop()
    }
    assert.ok((await readFile(join(folder, 'secret'), 'utf8')).length >= 32)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

for (const name of ['PORT', 'TASKWARD_PORT']) {
  test(`a ${name} that is taken is said, and nothing is started`, async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address()
    await assert.rejects(startExample({ [name]: String(port) }), new RegExp(`Port ${port} is taken.*set ${name}`))
    server.close()
  })
}
