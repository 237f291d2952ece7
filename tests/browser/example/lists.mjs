// The list: filters, order, pages, dates.

import assert from 'node:assert/strict'

import { api, row, story, waitForTitles } from './world.mjs'

story('filters, search and order are in the address, and survive a reload', async ({ person }) => {
  const { page, create } = await person('Ada')
  await create({ title: 'Buy milk', tags: ['shopping'], priority: 'high', due_date: '2031-01-02' })
  await create({ title: 'Buy a 100% wool blanket', tags: ['shopping', 'home'], due_date: '2031-01-01' })
  await create({ title: 'Repot the fig', tags: ['home'], completed: true })
  await page.goto('/')

  await page.getByRole('searchbox', { name: 'Search' }).fill('BUY')
  await waitForTitles(page, ['Buy a 100% wool blanket', 'Buy milk'])
  await page.getByLabel('Order').selectOption('Due date')
  await waitForTitles(page, ['Buy a 100% wool blanket', 'Buy milk'])
  await page.getByRole('heading', { name: 'Later' }).waitFor()
  await page.getByLabel('Priority').selectOption('High')
  await waitForTitles(page, ['Buy milk'])
  await page.reload()
  await waitForTitles(page, ['Buy milk'])
  assert.equal(await page.getByRole('searchbox', { name: 'Search' }).inputValue(), 'BUY')
  assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), { q: 'BUY', sort: 'due_date', priority: 'high' })

  await page.getByRole('button', { name: 'Clear filters' }).click()
  await waitForTitles(page, ['Buy a 100% wool blanket', 'Buy milk', 'Repot the fig'])
  assert.equal(await page.getByRole('searchbox', { name: 'Search' }).inputValue(), '')
  await row(page, 'Repot the fig').getByRole('button', { name: 'Only tasks with the tag home' }).click()
  await waitForTitles(page, ['Buy a 100% wool blanket', 'Repot the fig'])
  await page.getByText('Done', { exact: true }).click()
  await waitForTitles(page, ['Repot the fig'])
  await page.getByText('Active', { exact: true }).click()
  await waitForTitles(page, ['Buy a 100% wool blanket'])
  await page.getByLabel('Tag', { exact: true }).selectOption('#shopping')
  await waitForTitles(page, ['Buy a 100% wool blanket', 'Buy milk'])
  await page.getByRole('searchbox', { name: 'Search' }).fill('nothing like this')
  await page.getByText('Nothing matches').waitFor()
})

story('a long list goes on by itself when one scrolls, and by the keyboard, also without a connection', async ({ person }) => {
  const { page, create } = await person('Ada')
  const all = Array.from({ length: 120 }, (_, index) => `Task ${index + 1}`)
  for (const title of all) await create({ title })
  await page.goto('/?sort=title')
  const expected = [...all].sort()
  await waitForTitles(page, expected.slice(0, 50))
  await page.getByText('50 of 120 tasks').waitFor()

  await page.route(api, (route) => route.abort())
  await page.getByRole('button', { name: 'Load more' }).press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.task').length >= 100)
  await page.locator('.task').last().scrollIntoViewIfNeeded()
  await waitForTitles(page, expected)
  assert.equal(await page.getByRole('button', { name: 'Load more' }).count(), 0)
})

story('dates are told in words, and what is overdue stands out until it is done', async ({ person }) => {
  const { page, create } = await person('Ada', { timezoneId: 'America/New_York' })
  await page.clock.setFixedTime(new Date('2026-02-06T03:00:00Z')) // the evening of the 5th there
  await create({ title: 'yesterday', due_date: '2026-02-04' })
  await create({ title: 'today', due_date: '2026-02-05' })
  await create({ title: 'an hour ago', due_date: '2026-02-06T02:00:00Z' })
  await create({ title: 'tomorrow', due_date: '2026-02-06' })
  await create({ title: 'other year', due_date: '2027-02-06' })
  await create({ title: 'some day' })
  await page.goto('/?sort=due_date')
  const due = async (title) => (await row(page, title).locator('.fact').innerText()).replace('Due:', '').trim()
  await row(page, 'yesterday').getByText('Yesterday · overdue').waitFor()
  // Tomorrow comes after this evening: the server sorts days by where they begin in her time zone.
  await waitForTitles(page, ['yesterday', 'today', 'an hour ago', 'tomorrow', 'other year', 'some day'])
  const headings = page.getByRole('region', { name: 'Tasks' }).getByRole('heading')
  assert.deepEqual(await headings.allTextContents(), ['Earlier', 'Today', 'Tomorrow', 'Later', 'No date'])
  assert.equal(await due('today'), 'Today')
  assert.equal(await due('an hour ago'), 'Today 21:00 · overdue')
  assert.equal(await due('tomorrow'), 'Tomorrow')
  assert.equal(await due('other year'), '6 Feb 2027')
  await page.getByLabel('Done: yesterday').click()
  await row(page, 'yesterday').getByText('overdue').waitFor({ state: 'detached' })
})

story('an address that the server refuses is explained, also when the page comes with it', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto(`/?tag=${'x'.repeat(51)}&priority=urgent&sort=sideways`)
  await page.getByText('Your tasks could not be loaded.').waitFor()
  await page.getByText(/at most 50/).waitFor()
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await waitForTitles(page, ['Buy milk'])
  forgive(/status of 400/)
})

story('on a phone all filters and the order are on the screen', async ({ person }) => {
  const { page, create } = await person('Ada', { viewport: { width: 375, height: 700 }, hasTouch: true, isMobile: true })
  await create({ title: 'Buy milk', tags: ['a rather long tag of many words'] })
  await page.goto('/')
  await row(page, 'Buy milk').waitFor()
  for (const label of ['Search', 'Priority', 'Tag', 'Order']) {
    const box = await page.getByLabel(label, { exact: true }).boundingBox()
    assert.ok(box.x >= 0 && box.x + box.width <= 375, `${label}: ${JSON.stringify(box)}`)
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 375)
  await page.getByLabel('Order').selectOption('Due date')
  await page.waitForURL(/sort=due_date/)
})

story('in the order by due date the days are those of the person, on the first page that comes too', async ({ person }) => {
  const { page, context, create } = await person('Ada', { timezoneId: 'America/New_York' })
  await create({ title: 'all day', due_date: '2031-02-06' })
  await create({ title: 'the evening before', due_date: '2031-02-06T02:00:00Z' })
  await page.goto('/?sort=due_date')
  await waitForTitles(page, ['the evening before', 'all day'])
  const html = await (await context.request.get('/?sort=due_date')).text()
  assert.ok(html.indexOf('the evening before') < html.indexOf('all day'), 'the server knows it from the cookie')
})
