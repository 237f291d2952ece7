// Swagger UI as a newcomer uses it, in Debian's Chromium, with the link and the token that the server printed.
//
//   cargo build && cd tests/browser && npm ci && npm test
//
// CHROMIUM names another browser than /usr/bin/chromium. SCREENSHOT=FILE takes the README's picture, with PORT=8000 so
// that it shows the usual address.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { startTaskward } from '../support/server.mjs'
import { launchChromium } from './chromium.mjs'

let taskward, link, token, browser, page
const complaints = []
const hosts = new Set()

before(async () => {
  // Nothing is set but the port: development mode, as a newcomer starts it.
  const welcome = ({ output }) => /Token\s+eyJ\S+/.test(output())
  taskward = await startTaskward({ PORT: process.env.PORT }, welcome)
  link = /Swagger UI\s+(http\S+)/.exec(taskward.output())[1]
  token = /Token\s+(eyJ\S+)/.exec(taskward.output())[1]
  browser = await launchChromium()
  page = await watched(await browser.newContext({ viewport: { width: 1200, height: 900 }, deviceScaleFactor: 2 }))
})

/** A page whose console errors, policy violations and requested hosts are noted. */
async function watched(context) {
  const page = await context.newPage()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol !== 'data:') hosts.add(host)
  })
  await page.addInitScript(() => {
    window.violations = []
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`)
    })
  })
  return page
}

/** Removes what the browser complained about an answer that was expected to be an error. */
function forget(text) {
  complaints.splice(0, complaints.length, ...complaints.filter((complaint) => !complaint.includes(text)))
}

after(async () => {
  await browser?.close()
  await taskward?.stop()
})

const operation = (id) => page.locator(`[id$="-${id}"].opblock`)

/** Opens an operation and presses Execute; returns the answer's status and body, as the page shows them. */
async function execute(id) {
  const block = operation(id)
  if (!(await block.evaluate((element) => element.classList.contains('is-open')))) {
    await block.locator('.opblock-summary').click()
  }
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().includes('/api/v1/')),
    block.getByRole('button', { name: 'Execute' }).click(),
  ])
  const shown = block.locator('.live-responses-table')
  await shown.waitFor()
  assert.equal(await shown.locator('.response .response-col_status').innerText().then(parseInt), answer.status())
  const text = await answer.text()
  return { status: answer.status(), body: text && JSON.parse(text) }
}

/** What the server has logged so far. */
const log = () => taskward.output()

test('the root address redirects to the page', async () => {
  await page.goto(new URL('/', link).href)
  await operation('createTask').waitFor()
  assert.equal(page.url(), new URL('/docs/', link).href)
  assert.equal(await page.title(), 'Taskward API')
})

test('without a token, a request is refused and the page shows why', async () => {
  const { status, body } = await execute('getMe')
  assert.equal(status, 401)
  assert.equal(body.code, 'token_missing')
  forget('status of 401')
})

test('a pasted token authorises', async () => {
  await page.getByRole('button', { name: 'Authorize' }).click()
  const dialog = page.locator('.dialog-ux')
  await dialog.locator('input[type=text], input[type=password]').fill(token)
  await dialog.getByRole('button', { name: 'Apply credentials' }).click()
  await dialog.getByRole('button', { name: 'Close' }).click()
  const { status, body } = await execute('getMe')
  assert.equal(status, 200)
  assert.equal(body.user_id, 'alice')
})

test('logging out removes the token', async () => {
  await page.getByRole('button', { name: 'Authorize' }).click()
  const dialog = page.locator('.dialog-ux')
  await dialog.getByRole('button', { name: 'Remove authorization' }).click()
  await dialog.getByRole('button', { name: 'Close' }).click()
  assert.equal((await execute('getMe')).status, 401)
  forget('status of 401')
})

test('the printed link authorises a page that is open already, and the token is removed from the address', async () => {
  await page.goto(link)
  await page.waitForFunction(() => location.hash === '')
  assert.equal((await execute('getMe')).body.user_id, 'alice')
})

test('the printed link opens the page in another browser, authorised', async () => {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, deviceScaleFactor: 2 })
  await page.close()
  page = await watched(context)
  await page.goto(link)
  await operation('createTask').waitFor()
  await page.locator('.auth-wrapper .authorize.locked').waitFor()
  assert.equal(page.url(), new URL('/docs/', link).href)
  assert.equal(await page.evaluate(() => history.length), 2) // about:blank, and this
})

test('the example of createTask creates a task as it stands', async () => {
  const { status, body } = await execute('createTask')
  assert.equal(status, 201, JSON.stringify(body))
  assert.equal(body.title, 'Buy milk')
  assert.equal(body.id, 1)
})

test('listTasks shows it, without a parameter being filled in', async () => {
  const { status, body } = await execute('listTasks')
  assert.equal(status, 200, JSON.stringify(body))
  assert.deepEqual(body.items.map((task) => task.title), ['Buy milk'])
})

test('the other operations work with their examples', async () => {
  const block = operation('getTask')
  await block.locator('.opblock-summary').click()
  await block.locator('tr[data-param-name=id] input').fill('1')
  const { status, body } = await execute('getTask')
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.id, 1)
})

test('after a reload the page is still authorised', async () => {
  await page.reload()
  await operation('getMe').waitFor()
  const { status, body } = await execute('getMe')
  assert.equal(status, 200)
  assert.equal(body.user_id, 'alice')
})

test('the page sent no request to another host, violated no policy and logged no error', async () => {
  assert.deepEqual([...hosts], [new URL(link).host])
  assert.deepEqual(await page.evaluate(() => window.violations), [])
  assert.deepEqual(complaints, [])
})

test('no request carried the token in its address', async () => {
  const lines = log().split('\n').filter((line) => line.includes('answered'))
  assert.ok(lines.length > 10, log())
  assert.ok(!lines.some((line) => line.includes(token.slice(-40))), log())
})

test('the screenshot for the README', { skip: !process.env.SCREENSHOT }, async () => {
  await page.setViewportSize({ width: 1000, height: 1140 })
  await page.goto('about:blank')
  await page.goto(link)
  await execute('createTask')
  const block = operation('createTask')
  // From the body to its answer.
  await block.locator('textarea').evaluate(({ style }) => (style.height = style.minHeight = '13.5em'))
  await block.locator('.opblock-section-request-body').evaluate((element) => element.scrollIntoView())
  await page.screenshot({ path: process.env.SCREENSHOT })
})
