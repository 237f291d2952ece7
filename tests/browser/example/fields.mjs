// Faults, told at their fields.

import assert from 'node:assert/strict'

import { escape, quickAdd, row, story } from './world.mjs'

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

story('a fault goes as soon as the value is another one', async ({ person }) => {
  const { page, titles, forgive } = await person('Ada')
  await page.goto('/')
  await page.getByRole('button', { name: 'Details…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Add task' }).click()
  await dialog.locator('.fault').first().waitFor()
  await dialog.getByLabel('Title').fill('B')
  await dialog.locator('.fault').waitFor({ state: 'detached' })
  assert.equal(await dialog.getByLabel('Title').getAttribute('aria-invalid'), 'false')
  await escape(page)

  await quickAdd(page).fill('  ')
  await quickAdd(page).press('Enter')
  await page.locator('.quick-add .fault').waitFor()
  await quickAdd(page).fill('Buy milk')
  await page.locator('.quick-add .fault').waitFor({ state: 'detached' })
  await quickAdd(page).press('Enter')
  await page.getByText('“Buy milk” added.').waitFor()
  assert.deepEqual(await titles(), ['Buy milk'])
  forgive(/status of 422/)
})

story('the title that is typed comes along to the details', async ({ person }) => {
  const { page, titles } = await person('Ada')
  await page.goto('/')
  await quickAdd(page).fill('Buy milk')
  await page.getByRole('button', { name: 'Details…' }).click()
  assert.equal(await page.getByLabel('Title').inputValue(), 'Buy milk')
  await page.getByLabel('Notes').fill('Two litres')
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText('“Buy milk” added.').waitFor()
  assert.equal(await quickAdd(page).inputValue(), '')
  assert.deepEqual(await titles(), ['Buy milk'])
})

story('tags are what one means: with or without the sign, and each once', async ({ person }) => {
  const { page, api } = await person('Ada')
  await page.goto('/')
  await quickAdd(page).fill('Buy milk')
  await page.getByRole('button', { name: 'Details…' }).click()
  const tags = page.getByLabel('Tags')
  await tags.pressSequentially('#work, home, Home,')
  await page.getByText('Already there: Home.').waitFor()
  await tags.pressSequentially('##shop')
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText('“Buy milk” added.').waitFor()
  assert.deepEqual((await api('GET', '/tasks/1')).tags, ['work', 'home', 'shop'])
})

story('a tag that is too long is named, and not numbered', async ({ person }) => {
  const { page, forgive } = await person('Ada')
  await page.goto('/')
  await quickAdd(page).fill('Buy milk')
  await page.getByRole('button', { name: 'Details…' }).click()
  await page.getByLabel('Tags').fill(`fine, ${'y'.repeat(51)}`)
  await page.getByRole('button', { name: 'Add task' }).click()
  await page.getByText(/“y+…” must have at most 50 characters/).waitFor()
  forgive(/status of 422/)
})

story('a draft that was closed leaves a sign on its row', async ({ person }) => {
  const { page, create } = await person('Ada')
  await create({ title: 'Buy milk' })
  await create({ title: 'Write to Anouk' })
  await page.goto('/')
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('Two litres')
  await escape(page)
  await row(page, 'Buy milk').getByText('Unsaved changes').waitFor()
  assert.equal(await page.getByText('Unsaved changes').count(), 1)
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByRole('button', { name: 'Discard' }).click()
  await page.getByText('Unsaved changes').waitFor({ state: 'detached' })
})
