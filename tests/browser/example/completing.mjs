// Ticking tasks off.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { batch, refuse, sentRow, story, toast, waitForTitles } from './world.mjs'

story('ticking off shows at once; it waits for a server that fails, and is taken back when it is refused', async ({ person }) => {
  const { page, create, titles, forgive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/')
  const check = page.getByLabel('Done: Buy milk')
  const events = new EventEmitter()
  const asked = once(events, 'asked')
  const answered = once(events, 'answer')
  await page.route(batch, async (route) => {
    events.emit('asked')
    await answered // the first time; then it fails at once
    await route.fulfill({ status: 500, contentType: 'text/plain', body: 'sorry', headers: { 'access-control-allow-origin': '*' } })
  })
  await check.click()
  await asked
  assert.equal(await check.isChecked(), true, 'it does not wait for the answer')
  events.emit('answer')
  await page.getByText('“Buy milk” is done.').waitFor()
  assert.equal(await check.isChecked(), true)
  assert.deepEqual(await titles('completed=true'), [])
  await page.unroute(batch)
  await sentRow(page, 'Buy milk').waitFor()
  assert.deepEqual(await titles('completed=true'), ['Buy milk'])

  await page.route(batch, refuse)
  await check.click()
  await page.getByText('“Buy milk” was not changed.').waitFor()
  assert.equal(await check.isChecked(), true)
  await page.getByRole('button', { name: 'Delete: Buy milk' }).click()
  await page.getByText('“Buy milk” was not deleted.').waitFor()
  await waitForTitles(page, ['Buy milk'])
  forgive(/status of (500|403)/)
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
  await page.route(batch, async (route) => {
    const { completed } = route.request().postDataJSON().operations[0].patch
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

story('completing can be undone, and in "Active" no row moves under the pointer', async ({ person }) => {
  const { page, create, api: elsewhere } = await person('Ada')
  for (const title of ['Third', 'Second', 'First']) await create({ title })
  await page.goto('/?status=active')
  await waitForTitles(page, ['First', 'Second', 'Third'])
  const check = (title) => page.getByLabel(`Done: ${title}`)
  const place = (await check('Second').boundingBox()).y
  await check('First').click()
  await page.getByText('“First” is done.').waitFor()
  await sleep(6000) // as long as the pointer rests there
  await waitForTitles(page, ['First', 'Second', 'Third'])
  assert.equal((await check('Second').boundingBox()).y, place)
  await toast(page, '“First” is done.').getByRole('button', { name: 'Undo' }).click()
  await page.waitForFunction((box) => !box.checked, await check('First').elementHandle())
  await sentRow(page, 'First').waitFor()
  assert.equal((await elsewhere('GET', '/tasks/3')).completed, false)

  await check('Second').click()
  await page.mouse.move(5, 5)
  await waitForTitles(page, ['First', 'Third'])
  assert.equal((await elsewhere('GET', '/tasks/2')).completed, true)
})

story('a box is ticked by a finger beside it, and nothing else is', async ({ person }) => {
  const { page, create } = await person('Ada', { viewport: { width: 375, height: 700 }, hasTouch: true, isMobile: true })
  await create({ title: 'Buy milk' })
  await page.goto('/')
  const check = page.getByLabel('Done: Buy milk')
  const { x, y, width, height } = await check.boundingBox()
  const middle = [x + width / 2, y + height / 2]
  let checked = false
  for (const [right, down] of [[0, 0], [20, 0], [-20, 0], [0, 20], [0, -20], [15, 15]]) {
    await page.touchscreen.tap(middle[0] + right, middle[1] + down)
    checked = !checked
    await page.waitForFunction(([box, checked]) => box.checked === checked, [await check.elementHandle(), checked])
  }
  assert.equal(await page.getByRole('dialog').count(), 0)
})
