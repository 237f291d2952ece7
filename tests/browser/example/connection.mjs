// Without a connection, or with a server that is away or overloaded.

import assert from 'node:assert/strict'

import { add, api, escape, quickAdd, row, story, waitForTitles } from './world.mjs'

story('offline it says so, keeps what is typed, and goes on when the connection is back', async ({ person }) => {
  const { page, context, titles, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await row(page, 'Buy milk').waitFor()
  await context.setOffline(true)
  await page.getByText('You are offline. You can still read').waitFor()

  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('The one with the blue cap, 2 litres')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Not saved yet. You are offline.').waitFor()
  assert.equal(await page.getByLabel('Notes').inputValue(), 'The one with the blue cap, 2 litres')
  // Closed by mistake, it is still there.
  await escape(page)
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  assert.equal(await page.getByLabel('Notes').inputValue(), 'The one with the blue cap, 2 litres')
  await context.setOffline(false)
  await page.getByRole('button', { name: 'Save' }).click()
  await row(page, 'Buy milk').getByText('The one with the blue cap').waitFor()
  await page.getByText('You are offline').waitFor({ state: 'detached' })

  await context.setOffline(true)
  await quickAdd(page).fill('Write to Anouk')
  await quickAdd(page).press('Enter')
  await page.getByText('Not added yet. You are offline.').waitFor()
  await context.setOffline(false)
  await page.getByRole('button', { name: 'Try again' }).click()
  await row(page, 'Write to Anouk').waitFor()
  assert.deepEqual(await titles(), ['Write to Anouk', 'Buy milk'])
  forgive(/ERR_INTERNET_DISCONNECTED/)
})

story('the message that one is offline goes when the connection is back, also if the browser does not say so', async ({ person }) => {
  const { page, context, forgive } = await person('Ada')
  await page.goto('/')
  await page.evaluate(() => addEventListener('online', (event) => event.stopImmediatePropagation(), true))
  await context.setOffline(true)
  const message = page.getByText('You are offline.')
  await message.waitFor()
  await context.setOffline(false)
  await message.waitFor({ state: 'detached', timeout: 3000 })
  forgive(/ERR_INTERNET_DISCONNECTED/)
})

story('a list that failed while the server was away returns by itself', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await page.route(api, (route) => route.abort())
  await page.getByLabel('Order').selectOption('Title')
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
  await page.route(api, (route) => {
    if (route.request().method() !== 'POST' || refused > 0) return route.continue()
    refused += 1
    const headers = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Retry-After', 'retry-after': '1' }
    return route.fulfill({ status: 503, headers, body: '' })
  })
  await add(page, 'Buy milk')
  assert.equal(refused, 1)
  assert.deepEqual(await titles(), ['Buy milk'])
  forgive(/status of 503/)
})

story('a list that cannot be fetched says so, and comes when asked again', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await page.route(api, (route) => route.abort())
  await page.getByLabel('Order').selectOption('Title')
  await page.getByText('Your tasks could not be loaded.').waitFor()
  await page.unroute(api)
  await page.getByRole('button', { name: 'Try again' }).click()
  await waitForTitles(page, ['Buy milk'])
  assert.equal(await page.getByText('could not be loaded').count(), 0)
  forgive(/ERR_FAILED/)
})
