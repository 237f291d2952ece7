// The one command of the README, without PostgreSQL, with one that others start on too, and with a port that is taken.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { startExample } from './example.mjs'
import { newPerson, newVisitor, password } from './people.mjs'
import { world } from './world.mjs'

/** Of `lib/migrate-accounts.ts`. */
const migrationLock = 8_471_203

/** In CI there is one; elsewhere it is said that this was not tested. */
const skip = !process.env.DATABASE_URL && !process.env.TASKWARD_REQUIRE_POSTGRES && 'DATABASE_URL is not set'

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

test('several that start at once on one empty PostgreSQL share accounts and tasks', { skip }, async () => {
  const { default: pg } = await import('../../../examples/nextjs/node_modules/pg/lib/index.js')
  const connect = async (connectionString) => {
    const client = new pg.Client({ connectionString })
    await client.connect()
    return client
  }
  const admin = await connect(process.env.DATABASE_URL)
  const name = `example_${Date.now()}`
  await admin.query(`CREATE DATABASE ${name}`)
  const database = String(Object.assign(new URL(process.env.DATABASE_URL), { pathname: `/${name}` }))
  const settings = { DATABASE_URL: database, BETTER_AUTH_SECRET: 'one secret for all of the instances' }
  let started = []
  try {
    // Somebody is just making tables: all three wait for their turn, and then take it one by one.
    // Not in a transaction: Taskward's migrations build indexes concurrently, which wait for each transaction that is open.
    const holder = await connect(database)
    await holder.query('SELECT pg_advisory_lock($1)', [migrationLock])
    const starting = Promise.allSettled([1, 2, 3].map(() => startExample(settings)))
    const waiting = 'SELECT 1 FROM pg_locks WHERE objid = $1 AND NOT granted'
    const end = Date.now() + 30_000
    while ((await admin.query(waiting, [migrationLock])).rowCount < 3 && Date.now() < end) await sleep(50)
    const { rowCount } = await admin.query(waiting, [migrationLock])
    await holder.end()
    const results = await starting
    started = results.flatMap(({ value }) => value ?? [])
    assert.deepEqual(results.map(({ reason }) => reason), [undefined, undefined, undefined])
    assert.equal(rowCount, 3, 'all of them have waited')

    const ada = await newPerson(started[0], world.browser, 'Ada')
    await ada.create({ title: 'Buy milk' })
    const { page, context } = await newVisitor(started[2], world.browser)
    await context.addCookies((await ada.context.storageState()).cookies) // cookies do not know ports
    await page.goto('/')
    await page.getByRole('button', { name: 'Buy milk', exact: true }).waitFor()
    await Promise.all([context.close(), ada.context.close()])

    const reader = await connect(database)
    const { rows } = await reader.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    await reader.end()
    const tables = ['account', 'jwks', 'seaql_migrations', 'session', 'task', 'token_revocation', 'user', 'user_clock', 'verification']
    assert.deepEqual(rows.map((row) => row.tablename), tables)
  } finally {
    await Promise.all(started.map((example) => example.stop()))
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.end()
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
