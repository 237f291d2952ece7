// When things break: nothing typed is lost, nothing happens twice, and it is said what to do.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

import { password } from './people.mjs'
import { add, api, quickAdd, row, story, tokenLife, waitForTitles } from './world.mjs'

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
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await page.getByText('Not added yet.').waitFor()
  assert.equal(await quickAdd(page).inputValue(), 'Buy milk')
  assert.ok(created > 1, 'the client has tried again by itself')

  // Another one in between, and its key is not taken for that of the first.
  await page.getByRole('button', { name: 'Details…' }).click()
  await page.getByLabel('Title').fill('Write to Anouk')
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText('Not saved yet.').waitFor()
  await page.keyboard.press('Escape')

  // Even a reload keeps the text, and with it the key by which the server knows the request.
  await page.reload()
  await page.waitForFunction(() => document.querySelector('.quick-add input').value === 'Buy milk')
  await page.unroute(api)
  await quickAdd(page).press('Enter')
  await page.getByText('“Buy milk” was there already.').waitFor()
  await page.getByRole('button', { name: 'Details…' }).click()
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText('“Write to Anouk” was there already.').waitFor()
  await waitForTitles(page, ['Write to Anouk', 'Buy milk'])
  assert.deepEqual(await titles(), ['Write to Anouk', 'Buy milk'])

  // Wanted a second time, it is a second task.
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await waitForTitles(page, ['Buy milk', 'Write to Anouk', 'Buy milk'])
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

story('offline it says so, keeps what is typed, and goes on when the connection is back', async ({ person }) => {
  const { page, context, titles, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await row(page, 'Buy milk').waitFor()
  await context.setOffline(true)
  await page.getByText('You are offline. You can read').waitFor()

  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('The one with the blue cap, 2 litres')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Not saved yet. You are offline.').waitFor()
  assert.equal(await page.getByLabel('Notes').inputValue(), 'The one with the blue cap, 2 litres')
  // Closed by mistake, it is still there.
  await page.keyboard.press('Escape')
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

story('an expired token is renewed unseen', async ({ person }) => {
  const { page, titles, token, forgive } = await person('Ada')
  await page.goto('/')
  await add(page, 'With the first token')
  await sleep(tokenLife * 1000)
  await add(page, 'With the second token')

  // And one that expires on its way, or on a device whose clock stands still, is refused and replaced.
  const expired = await token()
  await sleep(tokenLife * 1000 + 500)
  let given = 0
  await page.route('**/api/auth/token', (route) => {
    given += 1
    return given === 1 ? route.fulfill({ json: { token: expired } }) : route.continue()
  })
  const refused = page.waitForResponse((response) => response.status() === 401)
  await add(page, 'With the third token')
  assert.equal((await (await refused).json()).code, 'token_expired')
  assert.equal(given, 2)
  assert.equal((await titles()).length, 3)
  forgive(/status of 401/)
})

story('when the session is over it leads to sign-in, and back to what was typed', async ({ person }) => {
  const { page, context, create, email, titles, forgive, alive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/?sort=title')
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('The one with the blue cap')
  await context.clearCookies()
  await sleep(tokenLife * 1000)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Your session has ended.').waitFor()
  await alive()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('dialog').waitFor()
  assert.equal(new URL(page.url()).search, '?sort=title&task=1')
  assert.equal(await page.getByLabel('Notes').inputValue(), 'The one with the blue cap')
  await page.getByRole('button', { name: 'Save' }).click()
  await row(page, 'Buy milk').getByText('The one with the blue cap').waitFor()
  assert.deepEqual(await titles('q=blue'), ['Buy milk'])
  forgive(/status of 401/)
})

story('a server that refuses every token does not send people round in a circle', async ({ person }) => {
  const { page, forgive } = await person('Ada')
  await page.goto('/')
  const headers = { 'access-control-allow-origin': '*' }
  const problem = { type: 'urn:taskward:problem:wrong_audience', title: 'Unauthorized', status: 401, code: 'wrong_audience', detail: 'no', request_id: '1' }
  await page.route(api, (route) => route.fulfill({ status: 401, headers, json: problem }))
  await quickAdd(page).fill('Buy milk')
  await quickAdd(page).press('Enter')
  await page.getByText('Your session has ended.').waitFor()
  await sleep(1000)
  assert.match(page.url(), /sign-in\?ended=1/)
  forgive(/status of 401/)
})

for (const choice of ['Keep mine', 'Take the other']) {
  story(`an edit that lost a race shows both versions: ${choice}`, async ({ person }) => {
    const { page, create, api, forgive } = await person('Ada')
    await create({ title: 'Buy milk', tags: ['shopping'], due_date: '2031-01-02' })
    await page.goto('/')
    await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
    await page.getByLabel('Title').fill('Buy oat milk')
    await page.getByLabel('Tags').fill('shopping, vegan')
    // Meanwhile on her phone: the title too, and something that she does not touch here.
    await api('PATCH', '/tasks/1', { title: 'Buy two litres', priority: 'high' })
    await page.getByRole('button', { name: 'Save' }).click()

    await page.getByRole('heading', { name: 'This task was changed elsewhere' }).waitFor()
    const cells = await page.getByRole('dialog').locator('tbody tr').allInnerTexts()
    assert.deepEqual(cells.map((text) => text.split(/\s*\t\s*/)), [
      ['Title', 'Buy oat milk', 'Buy two litres'],
      ['Tags', '#shopping #vegan', '#shopping'],
    ])
    assert.equal((await api('GET', '/tasks/1')).title, 'Buy two litres', 'nothing is decided yet')

    await page.getByRole('button', { name: choice }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const mine = choice === 'Keep mine'
    await waitForTitles(page, [mine ? 'Buy oat milk' : 'Buy two litres'])
    const { title, tags, priority, due_date } = await api('GET', '/tasks/1')
    assert.deepEqual(
      { title, tags, priority, due_date },
      {
        title: mine ? 'Buy oat milk' : 'Buy two litres',
        tags: mine ? ['shopping', 'vegan'] : ['shopping'],
        priority: 'high',
        due_date: '2031-01-02',
      },
    )
    // It is over: the next edit begins from what is there.
    await row(page, title).getByRole('button', { name: title, exact: true }).click()
    assert.equal(await page.getByLabel('Title').inputValue(), title)
    forgive(/status of 412/)
  })
}

story('an edit of one thing while another is changed elsewhere keeps both', async ({ person }) => {
  const { page, create, api, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('Two litres')
  await api('PATCH', '/tasks/1', { completed: true, priority: 'high' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('“Buy milk” saved.').waitFor()
  const { description, completed, priority } = await api('GET', '/tasks/1')
  assert.deepEqual({ description, completed, priority }, { description: 'Two litres', completed: true, priority: 'high' })
  forgive(/status of 412/)
})

story('a due date is one thing: nobody’s day is put together with somebody else’s time', async ({ person }) => {
  const { page, create, api, forgive } = await person('Ada', { timezoneId: 'UTC' })
  const due = '2031-01-02T09:00:00Z'
  /** An edit here and another one elsewhere; gives how the two versions are shown. */
  async function race(title, label, mine, theirs) {
    const { id } = await create({ title, due_date: due })
    await page.goto('/')
    await row(page, title).getByRole('button', { name: title, exact: true }).click()
    await page.getByLabel(label).fill(mine)
    await api('PATCH', `/tasks/${id}`, { due_date: theirs })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'This task was changed elsewhere' }).waitFor()
    const cells = (await page.getByRole('dialog').locator('tbody tr').allInnerTexts()).map((text) => text.split(/\s*\t\s*/))
    await page.getByRole('button', { name: 'Keep mine' }).click()
    await page.getByText(`“${title}” saved.`).waitFor()
    return { cells, saved: (await api('GET', `/tasks/${id}`)).due_date }
  }
  assert.deepEqual(await race('Another time, or no day', 'At', '10:00', null), {
    cells: [['Due', '2 Jan 2031 10:00', '–']],
    saved: '2031-01-02T10:00:00Z',
  })
  assert.deepEqual(await race('Another day, or another time', 'Due', '2031-01-05', '2031-01-02T15:00:00Z'), {
    cells: [['Due', '5 Jan 2031 09:00', '2 Jan 2031 15:00']],
    saved: '2031-01-05T09:00:00Z',
  })
  forgive(/status of 412/)
})

story('an edit that is overtaken again and again is asked about in the end', async ({ person }) => {
  const { page, create, api: elsewhere, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('Two litres')
  let attempts = 0
  await page.route(api, async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue()
    attempts += 1
    await elsewhere('PATCH', '/tasks/1', { completed: attempts % 2 === 1 })
    await route.continue()
  })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'This task was changed elsewhere' }).waitFor()
  assert.equal(attempts, 5)
  await page.unroute(api)
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await page.getByText('“Buy milk” saved.').waitFor()
  const { description, completed } = await elsewhere('GET', '/tasks/1')
  assert.deepEqual({ description, completed }, { description: 'Two litres', completed: true })
  forgive(/status of 412/)
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

story('an address that the server refuses is explained, also when the page comes with it', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto(`/?tag=${'x'.repeat(51)}&priority=urgent&sort=sideways`)
  await page.getByText('Your tasks could not be fetched.').waitFor()
  await page.getByText(/at most 50/).waitFor()
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await waitForTitles(page, ['Buy milk'])
  forgive(/status of 400/)
})

story('a list that cannot be fetched says so, and comes when asked again', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await page.route(api, (route) => route.abort())
  await page.getByLabel('Order').selectOption('Title')
  await page.getByText('Your tasks could not be fetched.').waitFor()
  await page.unroute(api)
  await page.getByRole('button', { name: 'Try again' }).click()
  await waitForTitles(page, ['Buy milk'])
  assert.equal(await page.getByText('could not be fetched').count(), 0)
  forgive(/ERR_FAILED/)
})
