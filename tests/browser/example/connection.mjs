// Without a connection, or with a server that is away or overloaded.

import assert from 'node:assert/strict'

import { add, api, batch, escape, quickAdd, row, sentRow, story, waitForTitles } from './world.mjs'

story('offline it says so, goes on with what is changed, and keeps what is typed', async ({ person }) => {
  const { page, context, create, titles, api, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await row(page, 'Buy milk').waitFor()
  await context.setOffline(true)
  await page.getByText('You are offline. You can go on').waitFor()

  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('The one with the blue cap, 2 litres')
  // Closed by mistake, it is still there.
  await escape(page)
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  assert.equal(await page.getByLabel('Notes').inputValue(), 'The one with the blue cap, 2 litres')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('“Buy milk” saved. It is sent when the server can be reached.').waitFor()
  await row(page, 'Buy milk').getByText('The one with the blue cap').waitFor()
  await row(page, 'Buy milk').getByText('Not sent yet').waitFor()

  await quickAdd(page).fill('Write to Anouk')
  await quickAdd(page).press('Enter')
  await row(page, 'Write to Anouk').getByText('Not sent yet').waitFor()
  assert.deepEqual(await titles(), ['Buy milk'])
  await context.setOffline(false)
  await page.getByText('You are offline').waitFor({ state: 'detached' })
  for (const title of ['Buy milk', 'Write to Anouk']) await sentRow(page, title).waitFor()
  await page.getByText('Not sent yet').first().waitFor({ state: 'detached' })
  assert.deepEqual(await titles(), ['Write to Anouk', 'Buy milk'])
  assert.equal((await api('GET', '/tasks/1')).description, 'The one with the blue cap, 2 litres')
  forgive(/ERR_INTERNET_DISCONNECTED/)
})

story('the message that one is offline goes when the connection is back, also if the browser does not say so', async ({ person }) => {
  const { page, context, forgive } = await person('Ada')
  await page.goto('/')
  await page.evaluate(() => addEventListener('online', (event) => event.stopImmediatePropagation(), true))
  await context.setOffline(true)
  const message = page.getByText('You are offline. You can go on')
  await message.waitFor()
  await context.setOffline(false)
  await message.waitFor({ state: 'detached', timeout: 3000 })
  forgive(/ERR_INTERNET_DISCONNECTED/)
})

story('a search that failed while the server was away returns by itself, and meanwhile the rest goes on', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await sentRow(page, 'Buy milk').waitFor()
  await page.route(api, (route) => route.abort().catch(() => {}))
  await page.getByLabel('Order').selectOption('Title')
  await waitForTitles(page, ['Buy milk'])
  await page.getByRole('searchbox', { name: 'Search' }).fill('MILK')
  await page.getByText('Your tasks could not be loaded.').waitFor()
  await page.unroute(api)
  await waitForTitles(page, ['Buy milk'])
  await page.getByText('could not be loaded').waitFor({ state: 'detached' })
  forgive(/ERR_FAILED/)
})

story('an overloaded server is asked again without anybody noticing', async ({ person }) => {
  const { page, titles, forgive } = await person('Ada')
  await page.goto('/')
  let refused = 0
  await page.route(batch, (route) => {
    if (refused > 0) return route.continue()
    refused += 1
    const headers = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Retry-After', 'retry-after': '1' }
    return route.fulfill({ status: 503, headers, body: '' })
  })
  await add(page, 'Buy milk')
  assert.equal(refused, 1)
  assert.deepEqual(await titles(), ['Buy milk'])
  forgive(/status of 503/)
})

story('a search that cannot be made says so, and is made when asked again', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await page.route(api, (route) => route.abort().catch(() => {}))
  await page.getByRole('searchbox', { name: 'Search' }).fill('MILK')
  await page.getByText('Your tasks could not be loaded.').waitFor()
  await page.unroute(api)
  await page.getByRole('button', { name: 'Try again' }).click()
  await waitForTitles(page, ['Buy milk'])
  assert.equal(await page.getByText('could not be loaded').count(), 0)
  forgive(/ERR_FAILED/)
})
