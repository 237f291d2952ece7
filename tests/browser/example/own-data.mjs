// What people do with everything that is kept of them: take it along, and delete it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

import { startExample } from './example.mjs'
import { newPerson, password } from './people.mjs'
import { add, batch, escape, lose, quickAdd, row, sentRow, story, toast, waitForTitles, world } from './world.mjs'

const exported = '**/api/v1/me/export'
const me = '**/api/v1/me'
const deletion = '**/api/auth/delete-user'

/** The lines that Taskward gives to the holder of a token, who need not have an account any more. */
async function exportOf(token) {
  const answer = await fetch(`${world.example.taskwardUrl}/api/v1/me/export`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(answer.status, 200)
  return linesOf(await answer.text())
}

const linesOf = (text) => text.trimEnd().split('\n').map((line) => JSON.parse(line))
const tasksOf = (lines) => lines.filter((line) => line.export === undefined)

const button = (page, name) => page.getByRole('button', { name, exact: true })
const dialog = (page, name) => page.getByRole('dialog', { name })

async function openAccount(page) {
  await page.goto('/account')
  await page.getByRole('heading', { name: 'Your account', exact: true }).waitFor()
}

async function confirm(page, name, typed) {
  await dialog(page, name).getByRole('textbox').fill(typed)
  await button(dialog(page, name), name).click()
}

story('she saves all her tasks as a file, deleted ones too, exactly as the server sends them', async ({ person }) => {
  const { page, api, create, token, alive } = await person('Ada')
  const operations = Array.from({ length: 100 }, (_, index) => ({ op: 'create', task: { title: `Task ${index} – één` } }))
  for (let round = 0; round < 3; round += 1) await api('POST', '/tasks/batch', { operations })
  await create({ title: 'Not needed any more' })
  await api('DELETE', '/tasks/301')

  await page.goto('/')
  await page.getByRole('link', { name: 'Account: Ada' }).click()
  await page.getByRole('heading', { name: 'Your account', exact: true }).waitFor()
  await alive()
  const download = page.waitForEvent('download')
  await button(page, 'Download my tasks').click()
  const file = await download
  assert.equal(file.suggestedFilename(), 'tasks.ndjson')
  await page.getByText('Your tasks are saved as tasks.ndjson.').waitFor()
  const saved = linesOf(await readFile(await file.path(), 'utf8'))
  assert.equal(tasksOf(saved).length, 301)
  assert.ok(tasksOf(saved).at(-1).deleted_at)
  assert.equal(saved.at(-1).export, 'end')
  assert.equal(await page.getByText('Changes that have not been sent').count(), 0)
  assert.deepEqual(tasksOf(saved), tasksOf(await exportOf(await token())))
})

story('a file that is cut on its way is not saved, and she is told', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  for (const title of ['Buy milk', 'Repot the fig']) await create({ title })
  await openAccount(page)
  const downloads = []
  page.on('download', (download) => downloads.push(download))
  await page.route(exported, async (route) => {
    const response = await route.fetch()
    const lines = (await response.text()).trimEnd().split('\n')
    await route.fulfill({ response, body: `${lines.slice(0, -1).join('\n')}\n` })
  })
  await button(page, 'Download my tasks').click()
  await page.getByText('Nothing was saved. The file ended too early, so tasks were missing.').waitFor()
  await page.unroute(exported)
  await page.route(exported, (route) => route.abort('connectionreset'))
  await button(page, 'Download my tasks').click()
  await page.getByText('Nothing was saved. The server did not answer.').waitFor()
  assert.equal(downloads.length, 0)

  await page.unroute(exported)
  const download = page.waitForEvent('download')
  await button(page, 'Download my tasks').click()
  assert.equal(tasksOf(linesOf(await readFile(await (await download).path(), 'utf8'))).length, 2)
  await page.getByText('Nothing was saved.').waitFor({ state: 'detached' })
  forgive(/ERR_CONNECTION_RESET/)
})

story('she deletes all tasks, after a word: nothing is left, what was not sent is not sent, and other windows go on', async ({ person }) => {
  const { page, context, create, titles, token, api, forgive, alive } = await person('Ada')
  for (const title of ['Buy milk', 'Repot the fig']) await create({ title })
  await api('DELETE', '/tasks/1')
  const other = await context.newPage()
  await other.goto('/')
  await sentRow(other, 'Repot the fig').waitFor()

  await page.bringToFront()
  await page.route(batch, (route) => route.abort())
  await page.goto('/')
  await quickAdd(page).fill('Never sent')
  await quickAdd(page).press('Enter')
  await row(page, 'Never sent').waitFor()
  await openAccount(page)
  await button(page, 'Download my tasks').click()
  await page.getByText('Changes that have not been sent are not in it.').waitFor()
  await button(page, 'Sign out').click()
  await toast(page, 'Some changes have not been sent.').waitFor()

  // By the keyboard. The focus comes back when she changes her mind.
  await button(page, 'Delete my tasks').focus()
  await page.keyboard.press('Enter')
  await dialog(page, 'Delete all tasks').getByText('It cannot be undone.').waitFor()
  await escape(page)
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Delete my tasks')
  await page.keyboard.press('Enter')
  await button(page, 'Cancel').click()
  await dialog(page, 'Delete all tasks').waitFor({ state: 'detached' })
  await button(page, 'Delete my tasks').click()
  await confirm(page, 'Delete all tasks', 'yes')
  await dialog(page, 'Delete all tasks').getByText('Type “delete” to confirm.').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'INPUT')
  assert.deepEqual(await titles(), ['Repot the fig'])

  await confirm(page, 'Delete all tasks', 'Delete')
  await page.getByText('All your tasks have been deleted.').waitFor()
  await alive()
  assert.deepEqual(tasksOf(await exportOf(await token())), [])

  await waitForTitles(other, [])
  await other.getByText('Nothing to do').waitFor()
  await add(other, 'A new beginning')
  await page.unroute(batch)
  await page.getByRole('link', { name: 'Back to your tasks' }).click()
  await waitForTitles(page, ['A new beginning'])
  await alive()
  await add(page, 'And another')
  assert.deepEqual(await titles(), ['And another', 'A new beginning'])
  forgive(/ERR_FAILED/)
})

story('when the server does not delete the tasks, she is told what is certain', async ({ person }) => {
  const { page, create, titles, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await openAccount(page)
  const answer = (status, code) => (route) =>
    route.request().method() === 'DELETE'
      ? route.fulfill({ status, headers: { 'access-control-allow-origin': '*' }, json: { type: `urn:taskward:problem:${code}`, title: 'no', status, code, detail: 'This token may not write.', request_id: '1' } })
      : route.continue()
  await button(page, 'Delete my tasks').click()
  await page.route(me, answer(403, 'insufficient_scope'))
  await confirm(page, 'Delete all tasks', 'delete')
  await page.getByText('Your tasks were not deleted. This token may not write.').waitFor()
  await page.unroute(me)
  await page.route(me, answer(500, 'internal_error'))
  await confirm(page, 'Delete all tasks', 'delete')
  await page.getByText('It is not certain that your tasks were deleted. The server has a problem.').waitFor()
  assert.deepEqual(await titles(), ['Buy milk'])
  await page.unroute(me)
  await confirm(page, 'Delete all tasks', 'delete')
  await page.getByText('All your tasks have been deleted.').waitFor()
  assert.deepEqual(await titles(), [])
  forgive(/status of (403|500)/)
})

story('she deletes her account with her password: tasks and account are gone, and every window of hers is left', async ({ person }) => {
  const { page, context, email, create, titles, token, forgive, alive } = await person('Ada')
  await create({ title: 'Buy milk' })
  const other = await context.newPage()
  await other.goto('/')
  await sentRow(other, 'Buy milk').waitFor()
  await quickAdd(other).fill('Half a thought')
  await page.bringToFront()
  await openAccount(page)

  await button(page, 'Delete my account').click()
  await confirm(page, 'Delete account', '')
  await page.getByText('Enter your password.').waitFor()
  await confirm(page, 'Delete account', 'not this one')
  await page.getByText('The password is wrong.').waitFor()
  await button(page, 'Cancel').click()
  assert.deepEqual(await titles(), ['Buy milk'])
  await button(page, 'Delete my account').click()
  assert.equal(await page.getByLabel('Your password').inputValue(), '')
  const before = await token()
  await confirm(page, 'Delete account', password)
  for (const window of [page, other]) {
    await window.getByText('Your account and your tasks have been deleted.').waitFor()
    assert.equal(await window.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }])), '[{},{}]')
  }
  assert.deepEqual(tasksOf(await exportOf(before)), [])

  await alive()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await button(page, 'Sign in').click()
  await page.getByText('The e-mail address or the password is wrong.').waitFor()
  await page.goto('/account')
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()

  // The address is free again, for an account that knows nothing of the old one.
  await page.goto('/sign-up')
  await page.getByLabel('Name').fill('Ada')
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await button(page, 'Create account').click()
  await page.getByText('Nothing to do').waitFor()
  await alive()
  forgive(/status of 40[01]/)
})

story('when only the answer to the deletion is lost, she is not led to believe that she still has an account', async ({ person }) => {
  const { page, token, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await openAccount(page)
  const before = await token()
  await page.route(deletion, lose)
  await button(page, 'Delete my account').click()
  await confirm(page, 'Delete account', password)
  await page.getByText('Your account and your tasks have been deleted.').waitFor()
  assert.deepEqual(tasksOf(await exportOf(before)), [])
  forgive(/ERR_CONNECTION_RESET|status of 401/)
})

story('when nothing of a deletion arrives, she is told, and it can be tried again', async ({ person }) => {
  const { page, create, titles, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await openAccount(page)
  await page.route(deletion, (route) => route.abort('connectionreset'))
  await button(page, 'Delete my account').click()
  await confirm(page, 'Delete account', password)
  await page.getByText('It is not certain that anything was deleted. Try again.').waitFor()
  assert.deepEqual(await titles(), ['Buy milk'])
  await page.unroute(deletion)
  await confirm(page, 'Delete account', password)
  await page.getByText('Your account and your tasks have been deleted.').waitFor()
  forgive(/ERR_CONNECTION_RESET/)
})

story('a session that is over deletes nothing, and leads to sign-in and back', async ({ person }) => {
  const { page, context, email, titles, create, forgive, alive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await openAccount(page)
  await button(page, 'Delete my account').click()
  await context.clearCookies()
  await confirm(page, 'Delete account', password)
  await page.getByText('Your session has ended.').waitFor()
  await alive()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await button(page, 'Sign in').click()
  await page.getByRole('heading', { name: 'Your account', exact: true }).waitFor()
  await alive()
  assert.deepEqual(await titles(), ['Buy milk'])
  forgive(/status of 401/)
})

test('an account whose tasks cannot be deleted stays', async () => {
  // The app itself does not reach Taskward; browsers do.
  const example = await startExample({ TASKWARD_INTERNAL_URL: 'http://127.0.0.1:9', DATABASE_URL: undefined, RATE_LIMIT: 'off' })
  try {
    const { page, context, create, titles } = await newPerson(example, world.browser, 'Ada')
    await create({ title: 'Buy milk' })
    await openAccount(page)
    await button(page, 'Delete my account').click()
    await confirm(page, 'Delete account', password)
    await page.getByText('Your account was not deleted, because the server did not confirm the deletion of your tasks.').waitFor()
    await page.goto('/')
    await row(page, 'Buy milk').waitFor()
    assert.deepEqual(await titles(), ['Buy milk'])
    await context.close()
  } finally {
    await example.stop()
  }
})

const withoutPostgres = !process.env.DATABASE_URL && !process.env.TASKWARD_REQUIRE_POSTGRES

if (withoutPostgres) test('an account that cannot be deleted after its tasks', { skip: 'DATABASE_URL is not set' }, () => {})
else
  story('an account that cannot be deleted after its tasks is whole, and she is told', async ({ person }) => {
    const { page, api, create, titles, forgive } = await person('Ada')
    await create({ title: 'Buy milk' })
    const { user_id: id } = await api('GET', '/me')
    await openAccount(page)
    const { default: pg } = await import('../../../examples/nextjs/node_modules/pg/lib/index.js')
    const database = new pg.Client({ connectionString: process.env.DATABASE_URL })
    await database.connect()
    try {
      await database.query(`CREATE FUNCTION keep_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'kept'; END $$`)
      await database.query(`CREATE TRIGGER keep_user BEFORE DELETE ON "user" FOR EACH ROW WHEN (OLD.id = '${id}') EXECUTE FUNCTION keep_user()`)
      await button(page, 'Delete my account').click()
      await confirm(page, 'Delete account', password)
      await page.getByText('Your tasks are deleted, but your account is not: the sign-in service has a problem.').waitFor()
    } finally {
      await database.query('DROP FUNCTION IF EXISTS keep_user CASCADE')
      await database.end()
    }
    assert.deepEqual(await titles(), [])
    await openAccount(page)
    await button(page, 'Delete my account').click()
    await confirm(page, 'Delete account', password)
    await page.getByText('Your account and your tasks have been deleted.').waitFor()
    forgive(/status of 503/)
  })

story('offline, the page of the account says why its buttons do nothing', async ({ person }) => {
  const { page, context, forgive } = await person('Ada')
  await openAccount(page)
  await context.setOffline(true)
  const reason = 'You are offline. This page needs a connection.'
  await page.getByText(reason).waitFor()
  for (const name of ['Download my tasks', 'Delete my tasks', 'Delete my account']) {
    await button(page, name).focus()
    await page.keyboard.press('Enter')
    assert.equal(await button(page, name).getAttribute('aria-disabled'), 'true')
    const described = await button(page, name).getAttribute('aria-describedby')
    assert.equal(await page.locator(`[id="${described}"]`).innerText(), reason)
  }
  assert.equal(await page.getByRole('dialog').count(), 0)
  await context.setOffline(false)
  await page.getByText(reason).waitFor({ state: 'detached' })
  await button(page, 'Delete my tasks').click()
  await dialog(page, 'Delete all tasks').waitFor()
  forgive(/ERR_INTERNET_DISCONNECTED/)
})
