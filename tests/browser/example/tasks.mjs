// Everyday use: create, edit, delete, undo.

import assert from 'node:assert/strict'

import { add, batch, quickAdd, refuse, row, sentRow, story, toast, waitForTitles } from './world.mjs'

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
  await sentRow(page, 'Design review').getByText('4 Mar 2031 09:30').waitFor()
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
  await page.getByText('“Design review, part two” saved.').waitFor()
  assert.equal((await api('GET', '/tasks/3')).due_date, '2031-03-04T00:30:45Z')

  await page.getByLabel('Done: Buy milk').click()
  await page.getByRole('button', { name: 'Delete: Write to Anouk' }).click()
  await waitForTitles(page, ['Design review, part two', 'Buy milk'])
  await toast(page, '“Write to Anouk” deleted.').getByRole('button', { name: 'Undo' }).click()
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

story('a deletion that is refused, from the dialog, keeps what was typed there', async ({ person }) => {
  const { page, create, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  const open = () => row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  const remove = () => page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await open()
  await page.getByLabel('Notes').fill('Two litres')
  await page.route(batch, refuse)
  await remove()
  await page.getByText('“Buy milk” was not deleted.').waitFor()
  await open()
  assert.equal(await page.getByLabel('Notes').inputValue(), 'Two litres')

  await page.unroute(batch)
  await remove()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('“Buy milk” is back.').waitFor()
  await open()
  assert.equal(await page.getByLabel('Notes').inputValue(), '')
  forgive(/status of 403/)
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
