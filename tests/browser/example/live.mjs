// Several windows, agents, and time without a connection: all agree, and nothing is lost or overwritten.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { freePort } from '../../support/server.mjs'
import { startExample } from './example.mjs'
import { newPerson } from './people.mjs'
import { add, batch, quickAdd, row, sentRow, story, toast, waitForTitles, world } from './world.mjs'

const open = (page, title) => row(page, title).getByRole('button', { name: title, exact: true }).click()

/** A second window of the same person. */
async function secondWindow({ context, page }) {
  const other = await context.newPage()
  other.setDefaultTimeout(20_000)
  await goLive(other, page.url())
  return other
}

/** Opens a page, and waits until it is in step with the server: what happens from then on is told. */
async function goLive(page, path) {
  const stream = page.waitForResponse((response) => response.url().includes('/api/v1/events'))
  await page.goto(path)
  await stream
}

/** What an agent of the person does: calls a tool over MCP. */
async function asAgent({ token }, name, args) {
  const answer = await fetch(`${world.example.taskwardUrl}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await token()}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  })
  const text = await answer.text()
  assert.ok(answer.ok && !text.includes('"isError":true') && !text.includes('"error"'), text)
}

story('two windows agree by themselves, and each says what the other has done', async ({ person }) => {
  const ada = await person('Ada')
  await ada.page.goto('/')
  const [one, two] = [ada.page, await secondWindow(ada)]
  await add(one, 'Buy milk')
  await waitForTitles(two, ['Buy milk'])
  await toast(two, 'Added elsewhere: “Buy milk”.').waitFor()
  await two.getByLabel('Done: Buy milk').click()
  await toast(one, 'Done elsewhere: “Buy milk”.').waitFor()
  assert.equal(await one.getByLabel('Done: Buy milk').isChecked(), true)
  await open(one, 'Buy milk')
  await one.getByLabel('Title').fill('Buy oat milk')
  await one.getByRole('button', { name: 'Save' }).click()
  await waitForTitles(two, ['Buy oat milk'])
  await toast(two, 'Changed elsewhere: “Buy oat milk”.').waitFor()
  await two.getByRole('button', { name: 'Delete: Buy oat milk' }).click()
  await waitForTitles(one, [])
  await toast(one, 'Deleted elsewhere: “Buy oat milk”.').waitFor()
  await toast(two, 'deleted.').getByRole('button', { name: 'Undo' }).click()
  await waitForTitles(one, ['Buy oat milk'])
  await waitForTitles(two, ['Buy oat milk'])
})

story('neither what is there when the page opens nor what the person does there is told as from elsewhere', async ({ person }) => {
  const { page, create } = await person('Ada')
  // More than come with the page.
  for (let count = 1; count <= 55; count += 1) await create({ title: `Task ${count}` })
  await page.addInitScript(() => {
    window.told = new Set()
    const note = () => document.querySelectorAll('.toast').forEach((toast) => window.told.add(toast.textContent))
    new MutationObserver(note).observe(document, { childList: true, subtree: true })
  })
  await goLive(page, '/')
  await page.getByText('50 of 55 tasks').waitFor()
  await add(page, 'Buy milk')
  await page.getByLabel('Done: Buy milk').click()
  await page.getByText('“Buy milk” is done.').waitFor()
  await page.getByRole('button', { name: 'Delete: Buy milk' }).click()
  await toast(page, 'deleted.').getByRole('button', { name: 'Undo' }).click()
  await page.getByText('“Buy milk” is back.').waitFor()
  await sentRow(page, 'Buy milk').waitFor()
  assert.deepEqual(await page.evaluate(() => [...window.told].filter((text) => !/^“Buy milk” /.test(text))), [])
})

story('what an agent does appears by itself, and the page says so', async ({ person }) => {
  const ada = await person('Ada')
  const { page, create } = ada
  await create({ title: 'Buy milk' })
  await goLive(page, '/?sort=title')
  await asAgent(ada, 'add_tasks', { tasks: [{ title: 'Ask the plumber' }] })
  await waitForTitles(page, ['Ask the plumber', 'Buy milk'])
  await toast(page, 'Added elsewhere: “Ask the plumber”.').waitFor()
  await asAgent(ada, 'update_tasks', { tasks: [{ id: 1, title: 'Buy oat milk' }] })
  await waitForTitles(page, ['Ask the plumber', 'Buy oat milk'])
  await toast(page, 'Changed elsewhere: “Buy oat milk”.').waitFor()
})

story('all that is done offline shows at once, is sent on return, and is merged with what happened elsewhere', async ({ person }) => {
  const { page, context, create, api, titles, forgive } = await person('Ada')
  for (const title of ['Keep', 'Tick', 'Edit', 'Remove']) await create({ title })
  await page.goto('/?sort=title')
  await waitForTitles(page, ['Edit', 'Keep', 'Remove', 'Tick'])
  await page.getByText('4 tasks').waitFor()
  await context.setOffline(true)
  await page.getByText('You are offline. You can go on').waitFor()

  await page.getByLabel('Done: Tick').click()
  await page.getByRole('button', { name: 'Delete: Remove' }).click()
  await open(page, 'Edit')
  await page.getByLabel('Title').fill('Edited')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await quickAdd(page).fill('New')
  await quickAdd(page).press('Enter')
  await waitForTitles(page, ['Edited', 'Keep', 'New', 'Tick'])
  assert.equal(await page.getByLabel('Done: Tick').isChecked(), true)
  assert.deepEqual(await titles('sort=title'), ['Edit', 'Keep', 'Remove', 'Tick'])
  // Meanwhile on her phone: another task, and other members of those that she changes here.
  await api('PATCH', '/tasks/3', { priority: 'high' })
  await create({ title: 'From the phone' })

  await context.setOffline(false)
  await waitForTitles(page, ['Edited', 'From the phone', 'Keep', 'New', 'Tick'])
  await page.waitForFunction(() => localStorage.length === 0)
  assert.deepEqual(await titles('sort=title'), ['Edited', 'From the phone', 'Keep', 'New', 'Tick'])
  const { priority, title } = await api('GET', '/tasks/3')
  assert.deepEqual({ priority, title }, { priority: 'high', title: 'Edited' })
  assert.deepEqual(await titles('completed=true'), ['Tick'])
  forgive(/ERR_INTERNET_DISCONNECTED/)
})

story('an edit that could not be sent outlives a reload', async ({ person }) => {
  const { page, create, api, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await sentRow(page, 'Buy milk').waitFor()
  await page.route(batch, (route) => route.abort().catch(() => {}))
  await open(page, 'Buy milk')
  await page.getByLabel('Title').fill('Buy oat milk')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('“Buy oat milk” saved. It is sent when').waitFor()
  await page.reload()
  await waitForTitles(page, ['Buy oat milk'])
  assert.equal((await api('GET', '/tasks/1')).title, 'Buy milk')
  await page.unroute(batch)
  await page.waitForFunction(() => localStorage.length === 0)
  assert.equal((await api('GET', '/tasks/1')).title, 'Buy oat milk')
  forgive(/ERR_FAILED/)
})

for (const choice of ['Keep mine', 'Use the other one']) {
  story(`an edit made offline of what was changed elsewhere shows both versions: ${choice}`, async ({ person }) => {
    const { page, context, create, api, forgive } = await person('Ada')
    await create({ title: 'Buy milk' })
    await page.goto('/')
    await sentRow(page, 'Buy milk').waitFor()
    await context.setOffline(true)
    await page.getByText('You are offline.').waitFor()
    await open(page, 'Buy milk')
    await page.getByLabel('Title').fill('Buy oat milk')
    await page.getByRole('button', { name: 'Save' }).click()
    await waitForTitles(page, ['Buy oat milk'])
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await api('PATCH', '/tasks/1', { title: 'Buy two litres' })

    await context.setOffline(false)
    await page.getByRole('heading', { name: 'This task was changed elsewhere' }).waitFor()
    const cells = await page.getByRole('dialog').locator('tbody tr').allInnerTexts()
    assert.deepEqual(cells.map((text) => text.split(/\s*\t\s*/)), [['Title', 'Buy oat milk', 'Buy two litres']])
    assert.equal((await api('GET', '/tasks/1')).title, 'Buy two litres', 'nothing is decided yet')
    await page.getByRole('button', { name: choice }).click()
    const title = choice === 'Keep mine' ? 'Buy oat milk' : 'Buy two litres'
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await waitForTitles(page, [title])
    await sentRow(page, title).waitFor()
    assert.equal((await api('GET', '/tasks/1')).title, title)
    forgive(/ERR_INTERNET_DISCONNECTED/)
  })
}

story('of two edits made offline, none is lost when the first is in conflict', async ({ person }) => {
  const { page, context, create, api, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await sentRow(page, 'Buy milk').waitFor()
  await context.setOffline(true)
  await page.getByText('You are offline.').waitFor()
  for (const [title, label, text] of [['Buy milk', 'Title', 'Buy oat milk'], ['Buy oat milk', 'Notes', 'Two litres']]) {
    await open(page, title)
    await page.getByLabel(label).fill(text)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  await api('PATCH', '/tasks/1', { title: 'Buy bread' })
  await context.setOffline(false)
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await page.getByText('“Buy oat milk” saved.').waitFor()
  await sentRow(page, 'Buy oat milk').waitFor()
  const { title, description } = await api('GET', '/tasks/1')
  assert.deepEqual({ title, description }, { title: 'Buy oat milk', description: 'Two litres' })
  forgive(/ERR_INTERNET_DISCONNECTED/)
})

story('a deletion made offline of a task that was changed elsewhere is asked about again', async ({ person }) => {
  const { page, context, create, api, titles, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await sentRow(page, 'Buy milk').waitFor()
  await context.setOffline(true)
  await page.getByText('You are offline.').waitFor()
  await page.getByRole('button', { name: 'Delete: Buy milk' }).click()
  await waitForTitles(page, [])
  await api('PATCH', '/tasks/1', { title: 'Buy two litres' })
  await context.setOffline(false)
  await page.getByText('“Buy milk” was changed elsewhere, so it was not deleted.').waitFor()
  await waitForTitles(page, ['Buy two litres'])
  await page.getByRole('button', { name: 'Delete it all the same' }).click()
  await page.waitForFunction(() => localStorage.length === 0)
  assert.deepEqual(await titles(), [])
  forgive(/ERR_INTERNET_DISCONNECTED/)
})

story('a task that is deleted elsewhere while its form is open can be added again with what was typed', async ({ person }) => {
  const { page, create, api, titles } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await open(page, 'Buy milk')
  await page.getByLabel('Notes').fill('Two litres')
  await api('DELETE', '/tasks/1')
  await page.getByRole('dialog').getByText('“Buy milk” was deleted elsewhere.').waitFor()
  await page.getByRole('button', { name: 'Add it again as it is here' }).click()
  await page.getByRole('button', { name: 'Add task' }).click()
  await row(page, 'Buy milk').getByText('Two litres').waitFor()
  await page.getByText('“Buy milk” added.').waitFor()
  assert.deepEqual(await titles(), ['Buy milk'])
})

test('when the server comes back after a restart, the page goes on with what was done meanwhile', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'taskward-example-restart-'))
  const settings = { DATABASE_URL: undefined, DATA_FOLDER: folder, TASKWARD_PORT: String(await freePort()) }
  let example = await startExample(settings)
  try {
    const ada = await newPerson(example, world.browser, 'Ada')
    const { page } = ada
    await ada.create({ title: 'Buy milk' })
    await page.goto('/')
    await sentRow(page, 'Buy milk').waitFor()
    await example.stop()
    await page.getByText('The server cannot be reached. You can go on').waitFor()
    await page.getByLabel('Done: Buy milk').click()
    await row(page, 'Buy milk').getByText('Not sent yet').waitFor()

    example = await startExample({ ...settings, PORT: new URL(example.url).port })
    await page.getByText('The server cannot be reached.').waitFor({ state: 'detached' })
    await sentRow(page, 'Buy milk').waitFor()
    assert.equal((await ada.api('GET', '/tasks/1')).completed, true)
    await ada.create({ title: 'After the restart' })
    await waitForTitles(page, ['After the restart', 'Buy milk'])
    ada.forgive(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/)
    assert.deepEqual(ada.complaints, [])
    await ada.context.close()
  } finally {
    await example.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

story('sign-out leaves nothing of the person in the browser, and warns of what was not sent', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Ada’s secret' })
  await page.goto('/')
  await sentRow(page, 'Ada’s secret').waitFor()
  await page.route(batch, (route) => route.abort().catch(() => {}))
  await quickAdd(page).fill('Ada’s unsent secret')
  await quickAdd(page).press('Enter')
  await row(page, 'Ada’s unsent secret').waitFor()
  await quickAdd(page).fill('Ada’s half a thought')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('Some changes have not been sent. They would be lost.').waitFor()
  await page.getByRole('button', { name: 'Sign out all the same' }).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  const kept = await page.evaluate(async () => ({
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    text: document.documentElement.outerHTML,
  }))
  assert.deepEqual([kept.local, kept.session, kept.databases, kept.caches], [{}, {}, [], []])
  assert.doesNotMatch(kept.text, /Ada/)
  forgive(/ERR_FAILED/)
})

story('every page comes with a strict Content-Security-Policy, with another nonce each time', async ({ person, visitor }) => {
  const ada = await person('Ada')
  const stranger = await visitor()
  for (const [{ page }, path] of [[stranger, '/sign-in'], [stranger, '/sign-up'], [ada, '/'], [ada, '/nowhere']]) {
    const policies = []
    for (let time = 0; time < 2; time += 1) {
      const response = await page.goto(path)
      policies.push(new Map((await response.headerValue('content-security-policy')).split('; ').map((part) => part.split(/ (.*)/))))
    }
    const [policy] = policies
    assert.equal(policy.get('default-src'), "'none'", path)
    assert.equal(policy.get('frame-ancestors'), "'none'", path)
    assert.equal(policy.get('connect-src'), `'self' ${world.example.taskwardUrl}`, path)
    assert.match(policy.get('script-src'), /^'self' 'nonce-[\w+/=]+' 'strict-dynamic'$/)
    assert.notEqual(policy.get('script-src'), policies[1].get('script-src'))
    assert.doesNotMatch([...policy.values()].join(), /unsafe/)
  }
  ada.forgive(/status of 404/)
})

story('no page can frame the app', async ({ visitor }) => {
  const { context, forgive } = await visitor()
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  // A page of another origin, without a policy of its own.
  await page.route('**/framer', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<iframe src="${world.example.url}/sign-in"></iframe>` }),
  )
  const frame = async () => {
    await page.goto(`${world.example.taskwardUrl}/framer`)
    return page.frames()[1]
  }
  await (await frame()).waitForURL(/^chrome-error:/)
  forgive(/frame-ancestors/)

  // It would be seen there without that part of the policy.
  await page.route('**/sign-in', async (route) => {
    const response = await route.fetch()
    const policy = response.headers()['content-security-policy'].replace("; frame-ancestors 'none'", '')
    await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } })
  })
  await (await frame()).getByText('Welcome back').waitFor()
})
