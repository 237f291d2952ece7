// The same task edited in two places.

import assert from 'node:assert/strict'

import { batch, row, sentRow, story, waitForTitles } from './world.mjs'

for (const choice of ['Keep mine', 'Use the other one']) {
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

story('an edit that is overtaken again and again is made all the same, and keeps what the others did', async ({ person }) => {
  const { page, create, api: elsewhere } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('Two litres')
  let attempts = 0
  await page.route(batch, async (route) => {
    attempts += 1
    if (attempts <= 5) await elsewhere('PATCH', '/tasks/1', { completed: attempts % 2 === 1 })
    await route.continue()
  })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('“Buy milk” saved.').waitFor()
  await sentRow(page, 'Buy milk').waitFor()
  assert.equal(attempts, 6)
  const { description, completed } = await elsewhere('GET', '/tasks/1')
  assert.deepEqual({ description, completed }, { description: 'Two litres', completed: true })
})
