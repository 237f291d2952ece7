// The collection of taskward-client for TanStack DB in Debian's Chromium, against the real server.
//
//   cargo build && cd tests/browser && npm ci && npm run test:collection

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { freePort, startTaskward } from '../../support/server.mjs'
import { launchChromium } from '../chromium.mjs'

const client = join(import.meta.dirname, '../../../openapi/client')
const HTML = '<!doctype html><meta charset="utf-8"><title>Tasks</title><ul></ul><script src="/page.js"></script>'

let taskward, pages, browser, origin

before(async () => {
  const script = await bundle()
  pages = http.createServer(({ url }, response) => {
    const [type, body] = url === '/page.js' ? ['text/javascript', script] : ['text/html', HTML]
    response.setHeader('Content-Type', type).end(body)
  })
  pages.listen(await freePort(), '127.0.0.1')
  await once(pages, 'listening')
  origin = `http://127.0.0.1:${pages.address().port}`
  taskward = await startTaskward({ CORS_ALLOWED_ORIGINS: origin })
  browser = await launchChromium()
})

after(async () => {
  await browser?.close()
  await taskward?.stop()
  pages?.close()
})

/** The page with the package as it is built, and the esbuild that the package is tested with. */
async function bundle() {
  const options = { cwd: client, stdio: 'inherit' }
  if (!existsSync(join(client, 'node_modules'))) execFileSync('npm', ['ci', '--no-fund', '--no-audit'], options)
  execFileSync('npm', ['run', 'build', '--silent'], options)
  const { build } = createRequire(join(client, 'package.json'))('esbuild')
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.mjs')],
    bundle: true,
    write: false,
    target: 'es2022',
    nodePaths: [join(client, 'node_modules')],
    alias: { 'taskward-client': join(client, 'dist'), 'taskward-client/tanstack-db': join(client, 'dist/tanstack-db') },
  })
  return outputFiles[0].text
}

/** Opens the page as `user`, in a context of its own unless one is given. */
async function open(user, context) {
  const page = await (context ?? (await browser.newContext())).newPage()
  page.setDefaultTimeout(20_000)
  const settings = JSON.stringify({ url: taskward.url, token: await taskward.token(user), user })
  await page.goto(`${origin}/#${encodeURIComponent(settings)}`)
  return page
}

const add = (page, title) => page.evaluate((title) => void app.tasks.insert({ title }), title)
const rename = (page, from, to) => page.evaluate(([from, to]) => void app.rename(from, to), [from, to])
const shows = (page, titles) => page.waitForFunction((titles) => app.titles() === titles, titles)
const isSent = (page) => page.waitForFunction(() => app.tasks.utils.pending() === 0)

/** The titles that the server has. */
async function onServer(user) {
  const answer = await taskward.call('GET', '/api/v1/tasks?sort=title', { token: await taskward.token(user) })
  return answer.json().items.map(({ title }) => title).join()
}

test('what is inserted shows before the server has answered, and keeps its element afterwards', async () => {
  const page = await open('insert')
  let release
  const held = new Promise((resolve) => (release = resolve))
  await page.route('**/api/v1/tasks/batch', async (route) => {
    await held
    await route.continue()
  })
  await page.waitForFunction(() => app.tasks.isReady())
  await add(page, 'Milk')
  const item = await page.waitForSelector('li >> text=Milk')
  const before = await item.evaluate((element) => ({ ...element.dataset }))
  assert.equal(before.version, '0')
  assert.equal(await onServer('insert'), '')

  release()
  await page.waitForFunction(() => document.querySelector('li').dataset.version === '1')
  assert.deepEqual(await item.evaluate((element) => [element.isConnected, element.dataset.key]), [true, before.key])
  assert.equal(await page.evaluate(() => app.removed()), 0)
  assert.equal(await page.locator('li').count(), 1)
  await page.context().close()
})

test('two pages of one user agree, and another user sees nothing of it', async () => {
  const [one, two, stranger] = [await open('alice'), await open('alice'), await open('bob')]
  await add(one, 'Milk')
  await shows(two, 'Milk')
  await rename(two, 'Milk', 'Oat milk')
  await add(two, 'Bread')
  for (const page of [one, two]) await shows(page, 'Bread,Oat milk')
  await one.evaluate(() => void app.tasks.delete([...app.tasks.keys()]))
  await shows(two, '')
  await add(stranger, 'Mine')
  await shows(stranger, 'Mine')
  for (const page of [one, two, stranger]) await page.context().close()
})

test('what is done offline is sent on return, and merged with what others did', async () => {
  const [one, two] = [await open('offline'), await open('offline')]
  await add(one, 'Milk')
  for (const page of [one, two]) await shows(page, 'Milk')

  await one.context().setOffline(true)
  await rename(one, 'Milk', 'Oat milk')
  await add(one, 'Bread')
  await shows(one, 'Bread,Oat milk')
  await add(two, 'Eggs')
  await shows(two, 'Eggs,Milk')

  await one.context().setOffline(false)
  for (const page of [one, two]) await shows(page, 'Bread,Eggs,Oat milk')
  await isSent(one)
  assert.equal(await onServer('offline'), 'Bread,Eggs,Oat milk')
  for (const page of [one, two]) await page.context().close()
})

test('what is done while the server is down outlives a reload of the page, and is sent once', async () => {
  const page = await open('reload')
  await page.waitForFunction(() => app.tasks.isReady())
  await taskward.kill()
  await add(page, 'Milk')
  await page.reload()
  await shows(page, 'Milk')
  await taskward.restart()
  await isSent(page)
  await page.waitForFunction(() => document.querySelector('li').dataset.version === '1')
  assert.equal(await onServer('reload'), 'Milk')
  assert.equal(await page.evaluate(() => Object.keys(localStorage).length), 0)
  await page.context().close()
})

test('what could not be sent before sign-out is sent after sign-in, without a reload', async () => {
  const page = await open('session')
  await page.waitForFunction(() => app.tasks.isReady())
  await taskward.kill()
  await add(page, 'Milk')
  await page.evaluate(() => app.reopen())
  await shows(page, 'Milk')
  await taskward.restart()
  await isSent(page)
  assert.equal(await onServer('session'), 'Milk')
  await page.context().close()
})

test('what a tab could not send is sent by another tab when that one is closed', async () => {
  const context = await browser.newContext()
  const one = await open('tabs', context)
  await one.waitForFunction(() => app.tasks.isReady())
  await taskward.kill()
  await add(one, 'Milk')
  const settings = new URL(one.url()).hash
  const two = await context.newPage()
  await two.goto(`${origin}/${settings}`)
  // As long as the first tab lives, its changes are its own.
  assert.equal(await two.evaluate(() => app.titles()), '')
  await one.close()
  await shows(two, 'Milk')
  await taskward.restart()
  await isSent(two)
  assert.equal(await onServer('tabs'), 'Milk')
  await context.close()
})
