// For everybody: without a mouse, with a screen reader, in both themes.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

import { escape, row, story, waitForTitles } from './world.mjs'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8')

/** What axe finds on the page as it is; run past the policy, as an extension of the browser would be. */
async function violations(page) {
  await page.evaluate(axe)
  const { violations, passes } = await page.evaluate(() => window.axe.run())
  assert.ok(passes.length > 10, 'axe has looked at something')
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(' ')}`)
}

story('everything can be done with the keyboard alone', async ({ person }) => {
  const { page, titles, api } = await person('Ada', { reducedMotion: 'reduce' })
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent)
  /** Presses Tab until the focus is on a control of this name. */
  async function tabTo(name) {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab')
      if ((await focused()) === name) return
    }
    assert.fail(`no way to ${name}`)
  }
  await page.goto('/')
  await page.getByRole('textbox', { name: 'New task' }).focus()
  await page.keyboard.type('Buy milk')
  await page.keyboard.press('Enter')
  await waitForTitles(page, ['Buy milk'])
  await page.keyboard.type('Write to Anouk') // the focus has stayed
  await page.keyboard.press('Enter')
  await waitForTitles(page, ['Write to Anouk', 'Buy milk'])

  await tabTo('Done: Write to Anouk')
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
  assert.equal(outline, 'solid', 'one sees where the focus is')
  await page.keyboard.press('Space')
  await page.getByText('“Write to Anouk” is done.').waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await focused(), 'Write to Anouk')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Edit task' }).waitFor()

  // The focus stays within the dialog, and comes back after it.
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press('Tab')
    const outside = await page.evaluate(() => document.activeElement !== document.body && !document.activeElement.closest('dialog'))
    assert.equal(outside, false)
  }
  await page.getByLabel('Notes').focus()
  await page.keyboard.type('Before her birthday')
  await escape(page)
  assert.equal(await focused(), 'Write to Anouk')
  await page.keyboard.press('Enter')
  await page.getByLabel('Notes').focus()
  await tabTo('Save')
  await page.keyboard.press('Enter')
  await row(page, 'Write to Anouk').getByText('Before her birthday').waitFor()

  // After a deletion the focus is on "Undo".
  await tabTo('Delete: Buy milk')
  await page.keyboard.press('Enter')
  await waitForTitles(page, ['Write to Anouk'])
  await page.waitForFunction(() => document.activeElement.textContent === 'Undo')
  await page.keyboard.press('Enter')
  await waitForTitles(page, ['Write to Anouk', 'Buy milk'])
  assert.deepEqual(await titles(), ['Write to Anouk', 'Buy milk'])
  assert.equal((await api('GET', '/tasks/2')).completed, true)
})

for (const colorScheme of ['light', 'dark']) {
  story(`axe finds nothing on any page (${colorScheme})`, async ({ person, visitor }) => {
    // Without motion: colours in the middle of a transition are not those that are meant.
    const options = { colorScheme, reducedMotion: 'reduce' }
    const stranger = await visitor(options)
    for (const path of ['/sign-in?ended=1', '/sign-in?deleted=1', '/sign-up']) {
      await stranger.page.goto(path)
      assert.deepEqual(await violations(stranger.page), [], path)
    }
    const ada = await person('Ada', { ...options, viewport: { width: 390, height: 844 } })
    const { page, api, create, forgive } = ada
    await page.goto('/')
    assert.deepEqual(await violations(page), [], 'nothing to do')
    await create({ title: 'Buy milk', description: 'Blue cap', priority: 'high', due_date: '2020-01-01', tags: ['shopping'] })
    await create({ title: 'Repot the fig', priority: 'low', completed: true, tags: ['home'] })
    await page.goto('/?sort=due_date&status=all')
    await page.getByRole('button', { name: 'Delete: Repot the fig' }).click()
    await page.getByRole('button', { name: 'Undo' }).waitFor()
    assert.deepEqual(await violations(page), [], 'the list and a message')
    await page.goto('/?tag=shopping&priority=high&q=milk')
    assert.deepEqual(await violations(page), [], 'filters')
    await page.getByRole('button', { name: 'Buy milk', exact: true }).click()
    await page.getByLabel('Title').fill('')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.locator('.fault').waitFor()
    assert.deepEqual(await violations(page), [], 'a dialog with a fault')
    await page.getByLabel('Title').fill('Buy oat milk')
    await api('PATCH', '/tasks/1', { title: 'Buy two litres' })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Keep mine' }).waitFor()
    assert.deepEqual(await violations(page), [], 'two versions')
    await page.goto('/account?erased=1')
    assert.deepEqual(await violations(page), [], 'the account')
    await page.getByRole('button', { name: 'Delete my tasks' }).click()
    await page.getByRole('button', { name: 'Delete all tasks' }).click()
    await page.locator('.fault').waitFor()
    assert.deepEqual(await violations(page), [], 'a question before a deletion')
    await page.goto('/nowhere')
    assert.deepEqual(await violations(page), [], 'nothing there')
    forgive(/status of 4(04|12|22)/)
  })
}
