// The everyday: writing down, changing, ticking off, finding again.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { add, api, quickAdd, row, story, waitForTitles } from './world.mjs'

story('tasks are created, edited, completed and deleted, a deletion is undone, and a reload shows the same', async ({ person }) => {
  const { page, api } = await person('Ada', { timezoneId: 'Asia/Tokyo' })
  await page.goto('/')
  await page.getByText('Nothing to do').waitFor()
  await add(page, 'Buy milk')
  await add(page, 'Write to Anouk')
  assert.equal(await quickAdd(page).inputValue(), '')

  // With all fields, in the time of her place.
  await page.getByRole('button', { name: 'Details…' }).click()
  await page.getByLabel('Title').fill('Design review')
  await page.getByLabel('Notes').fill('Bring the <b>questions</b>')
  await page.getByLabel('Due').fill('2031-03-04')
  await page.getByLabel('At').fill('09:30')
  await page.getByLabel('Priority').last().selectOption('High')
  await page.getByLabel('Tags').fill('work, , review')
  await page.getByRole('button', { name: 'Add task' }).click()
  await row(page, 'Design review').getByText('4 Mar 2031 09:30').waitFor()
  const review = await api('GET', '/tasks/3')
  assert.equal(review.due_date, '2031-03-04T00:30:00Z')
  assert.equal(review.description, 'Bring the <b>questions</b>')
  assert.deepEqual([review.priority, review.tags], ['high', ['work', 'review']])

  // Only what is changed is sent: an edit of the title leaves the time alone, to the second.
  await api('PATCH', '/tasks/3', { due_date: '2031-03-04T00:30:45Z' })
  await page.reload()
  await row(page, 'Design review').getByRole('button', { name: 'Design review', exact: true }).click()
  assert.deepEqual([await page.getByLabel('Due').inputValue(), await page.getByLabel('At').inputValue()], ['2031-03-04', '09:30'])
  await page.getByLabel('Title').fill('Design review, part two')
  await page.getByRole('button', { name: 'Save' }).click()
  await waitForTitles(page, ['Design review, part two', 'Write to Anouk', 'Buy milk'])
  assert.equal((await api('GET', '/tasks/3')).due_date, '2031-03-04T00:30:45Z')

  await page.getByLabel('Done: Buy milk').click()
  await page.getByRole('button', { name: 'Delete: Write to Anouk' }).click()
  await waitForTitles(page, ['Design review, part two', 'Buy milk'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await waitForTitles(page, ['Design review, part two', 'Write to Anouk', 'Buy milk'])
  await page.getByText('“Write to Anouk” is back.').waitFor()

  await page.reload()
  await waitForTitles(page, ['Design review, part two', 'Write to Anouk', 'Buy milk'])
  assert.equal(await page.getByLabel('Done: Buy milk').isChecked(), true)
})

story('the list comes with the page, before any script has run', async ({ person }) => {
  const { page, create } = await person('Ada', { javaScriptEnabled: false })
  await create({ title: 'Buy milk', tags: ['shopping'] })
  await create({ title: 'Write to Anouk' })
  await page.goto('/?tag=shopping')
  await page.getByRole('button', { name: 'Buy milk', exact: true }).waitFor()
  assert.equal(await page.getByText('Write to Anouk').count(), 0)
})

story('ticking off shows at once, and is taken back with a message when the server fails', async ({ person }) => {
  const { page, create, titles, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  const check = page.getByLabel('Done: Buy milk')
  let answer
  const asked = new Promise((resolve) => {
    void page.route(api, async (route) => {
      if (route.request().method() !== 'PATCH') return route.abort() // nor does a new list help
      resolve()
      await new Promise((release) => (answer = release))
      await route.fulfill({ status: 500, contentType: 'text/plain', body: 'sorry', headers: { 'access-control-allow-origin': '*' } })
    })
  })
  await check.click()
  await asked
  assert.equal(await check.isChecked(), true, 'it does not wait for the answer')
  answer()
  await page.getByText('“Buy milk” was not changed.').waitFor()
  assert.equal(await check.isChecked(), false)
  assert.deepEqual(await titles('completed=true'), [])

  await page.unroute(api)
  await page.route(api, (route) => (route.request().method() === 'DELETE' ? route.abort() : route.continue()))
  await page.getByRole('button', { name: 'Delete: Buy milk' }).click()
  await page.getByText('“Buy milk” was not deleted.').waitFor()
  await waitForTitles(page, ['Buy milk'])
  forgive(/status of 500|ERR_FAILED/)
})

story('two quick clicks on a box reach the server one after the other', async ({ person }) => {
  const { page, create, api: elsewhere } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  const events = new EventEmitter()
  const seen = []
  const note = (event) => {
    seen.push(event)
    events.emit(event)
  }
  await page.route(api, async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue()
    const { completed } = route.request().postDataJSON()
    const held = completed && once(events, 'go on')
    note(`asked ${completed}`)
    await held
    const response = await route.fetch()
    note(`done ${completed}`)
    await route.fulfill({ response })
  })
  const check = page.getByLabel('Done: Buy milk')
  const box = await check.elementHandle()
  const both = Promise.all(['done true', 'done false'].map((event) => once(events, event)))
  await Promise.all([once(events, 'asked true'), check.click()])
  await check.click()
  await page.waitForFunction((box) => !box.checked, box) // it does not wait for the first answer
  await sleep(300) // time enough to overtake
  events.emit('go on')
  await both
  assert.deepEqual(seen, ['asked true', 'done true', 'asked false', 'done false'])
  assert.equal((await elsewhere('GET', '/tasks/1')).completed, false)
  assert.equal(await check.isChecked(), false)
})

story('a deletion that fails, from the dialog, keeps what was typed there', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  const open = () => row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  const remove = () => page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await open()
  await page.getByLabel('Notes').fill('Two litres')
  await page.route(api, (route) => (route.request().method() === 'DELETE' ? route.abort() : route.continue()))
  await remove()
  await page.getByText('“Buy milk” was not deleted.').waitFor()
  await open()
  assert.equal(await page.getByLabel('Notes').inputValue(), 'Two litres')

  await page.unroute(api)
  await remove()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('“Buy milk” is back.').waitFor()
  await open()
  assert.equal(await page.getByLabel('Notes').inputValue(), '')
  forgive(/ERR_FAILED/)
})

story('what the server finds wrong is told at the fields', async ({ person }) => {
  const { page, forgive, titles } = await person('Ada')
  await page.goto('/')
  await quickAdd(page).fill('   ')
  await quickAdd(page).press('Enter')
  await page.locator('.quick-add .fault').waitFor()
  assert.equal(await quickAdd(page).getAttribute('aria-invalid'), 'true')

  await page.getByRole('button', { name: 'Details…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Title').fill('x'.repeat(501))
  await dialog.getByLabel('Tags').fill(`fine, ${'y'.repeat(51)}, Fine`)
  await dialog.getByRole('button', { name: 'Add task' }).click()
  for (const [label, pattern] of [['Title', /500/], ['Tags', /50/]]) {
    const field = dialog.getByLabel(label)
    await page.waitForFunction((element) => element.getAttribute('aria-invalid') === 'true', await field.elementHandle())
    const note = page.locator(`[id="${await field.getAttribute('aria-describedby')}"]`)
    assert.match(await note.innerText(), pattern)
  }
  assert.equal(await dialog.getByLabel('Notes').getAttribute('aria-invalid'), 'false')
  assert.deepEqual(await titles(), [])
  forgive(/status of 422/)
})

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

story('a long list goes on by itself when one scrolls, and by the keyboard after a failure', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  const all = Array.from({ length: 120 }, (_, index) => `Task ${index + 1}`)
  for (const title of all) await create({ title })
  await page.goto('/?sort=title')
  const expected = [...all].sort()
  await waitForTitles(page, expected.slice(0, 50))

  // The second page fails once: the first stays, and it is said.
  await page.route(api, (route) => route.abort())
  await page.locator('.task').last().scrollIntoViewIfNeeded()
  await page.getByText('Your tasks could not be fetched.').waitFor()
  await waitForTitles(page, expected.slice(0, 50))
  await page.unroute(api)
  await page.getByRole('button', { name: 'Try again' }).press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.task').length >= 100)
  await page.locator('.task').last().scrollIntoViewIfNeeded()
  await waitForTitles(page, expected)
  assert.equal(await page.getByRole('button', { name: 'Load more' }).count(), 0)
  forgive(/ERR_FAILED/)
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
  // A day comes once, although the server, which knows no time zone, has tomorrow's date before this evening.
  const headings = page.getByRole('region', { name: 'Tasks' }).getByRole('heading')
  assert.deepEqual(await headings.allTextContents(), ['Earlier', 'Today', 'Tomorrow', 'Later', 'No date'])
  await waitForTitles(page, ['yesterday', 'today', 'an hour ago', 'tomorrow', 'other year', 'some day'])
  assert.equal(await due('today'), 'Today')
  assert.equal(await due('an hour ago'), 'Today 21:00 · overdue')
  assert.equal(await due('tomorrow'), 'Tomorrow')
  assert.equal(await due('other year'), '6 Feb 2027')
  await page.getByLabel('Done: yesterday').click()
  await row(page, 'yesterday').getByText('overdue').waitFor({ state: 'detached' })
})

story('the chosen theme is that of the first byte of the next page', async ({ person }) => {
  const { page, context } = await person('Ada', { colorScheme: 'light' })
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  await page.goto('/')
  const light = await background()
  await page.getByRole('button', { name: /^Theme: system/ }).click()
  await page.getByRole('button', { name: /^Theme: light/ }).click()
  const dark = await background()
  assert.notEqual(dark, light)
  assert.match(await (await context.request.get('/')).text(), /<html[^>]* data-theme="dark"/)
  await page.reload()
  assert.equal(await background(), dark)
  await page.getByRole('button', { name: /^Theme: dark/ }).click()
  assert.equal(await background(), light)
})
