// Answers that are lost on the way: nothing is done twice.

import assert from 'node:assert/strict'

import { add, api, escape, quickAdd, row, story, waitForTitles } from './world.mjs'

story('an answer that is lost on the way does not make two tasks, whatever one does then', async ({ person }) => {
  const { page, titles, forgive } = await person('Ada')
  await page.goto('/')
  let created = 0
  await page.route(api, async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    await route.fetch() // it arrives and is done, …
    created += 1
    await route.abort('connectionreset') // … and nobody hears of it
  })
  await page.getByRole('button', { name: 'Details…' }).click()
  await page.getByLabel('Title').fill('Write to Anouk')
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText('Not saved yet.').waitFor()
  assert.ok(created > 1, 'the client has tried again by itself')
  await escape(page)

  // Another one, and its key is not taken for that of the first.
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await page.getByText('Not added yet.').waitFor()
  assert.equal(await quickAdd(page).inputValue(), 'Buy milk')

  // Even a reload keeps the text, and with it the key by which the server knows the request.
  await page.reload()
  await page.waitForFunction(() => document.querySelector('.quick-add input').value === 'Buy milk')
  await page.unroute(api)
  await quickAdd(page).press('Enter')
  await page.getByText('“Buy milk” was there already.').waitFor()
  await page.getByRole('button', { name: 'Details… (unsaved task)' }).click()
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText('“Write to Anouk” was there already.').waitFor()
  await waitForTitles(page, ['Buy milk', 'Write to Anouk'])
  assert.deepEqual(await titles(), ['Buy milk', 'Write to Anouk'])

  // Wanted a second time, it is a second task.
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await waitForTitles(page, ['Buy milk', 'Buy milk', 'Write to Anouk'])
  forgive(/ERR_CONNECTION_RESET/)
})

story('a title that was sent unheard is still the same task in the details', async ({ person }) => {
  const { page, titles, forgive } = await person('Ada')
  await page.goto('/')
  await page.route(api, async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    await route.fetch()
    await route.abort('connectionreset')
  })
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await page.getByText('Not added yet.').waitFor()
  await page.unroute(api)
  await page.getByRole('button', { name: 'Details…' }).click()
  assert.equal(await page.getByLabel('Title').inputValue(), 'Buy milk')
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText('“Buy milk” was there already.').waitFor()
  assert.equal(await quickAdd(page).inputValue(), '')
  assert.deepEqual(await titles(), ['Buy milk'])
  forgive(/ERR_CONNECTION_RESET/)
})

story('whoever sees that a task was made unheard, and empties the box, can write the same again later', async ({ person }) => {
  const { page, api: elsewhere, forgive } = await person('Ada')
  await page.goto('/')
  await page.route(api, async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    await route.fetch()
    await route.abort('connectionreset')
  })
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await page.getByText('Not added yet.').waitFor()
  await page.unroute(api)
  await page.reload()
  await waitForTitles(page, ['Buy milk'])
  // What the tab keeps is hers, not that of whoever comes next.
  const { user_id } = await elsewhere('GET', '/me')
  const names = await page.evaluate(() => Object.keys(sessionStorage))
  assert.ok(names.length > 1)
  assert.deepEqual(names.filter((name) => !name.startsWith(`${user_id}/`)), [])

  await quickAdd(page).fill('')
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await page.getByText('“Buy milk” added.').waitFor()
  await waitForTitles(page, ['Buy milk', 'Buy milk'])
  forgive(/ERR_CONNECTION_RESET/)
})

story('a task that was made unheard, and deleted elsewhere, can be made anew', async ({ person }) => {
  const { page, titles, api: elsewhere, forgive } = await person('Ada')
  await page.goto('/')
  await page.route(api, async (route) => {
    if (route.request().method() === 'POST') await route.fetch()
    await route.abort('connectionreset')
  })
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await page.getByText('Not added yet.').waitFor()
  await elsewhere('DELETE', '/tasks/1')
  await page.unroute(api)
  const refused = page.waitForResponse((response) => response.status() === 409)
  await page.getByRole('button', { name: 'Try again' }).click()
  assert.equal((await (await refused).json()).code, 'idempotency_key_of_deleted_task')
  await page.getByRole('button', { name: 'Try again' }).click()
  await waitForTitles(page, ['Buy milk'])
  assert.deepEqual(await titles(), ['Buy milk'])
  forgive(/ERR_CONNECTION_RESET|status of 409/)
})

story('an edit whose answer was lost is not mistaken for a race with oneself', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Title').fill('Buy oat milk')
  await page.route(api, async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue()
    await route.fetch()
    await route.abort('connectionreset')
  })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Not saved yet.').waitFor()
  await page.unroute(api)
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('“Buy oat milk” saved.').waitFor()
  await waitForTitles(page, ['Buy oat milk'])
  forgive(/ERR_CONNECTION_RESET|status of 412/)
})
