// The route handler in docs/live-and-offline.md, as it stands there, built and served by Next.js before a real Taskward.
//
//   cargo build && (cd tests/browser && npm ci) && cd tests/nextjs && npm ci && npm test

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { launchChromium } from '../browser/chromium.mjs'
import { freePort, startProcess, startTaskward } from '../support/server.mjs'

const here = import.meta.dirname
const next = join(here, 'node_modules/.bin/next')
let taskward, metrics, app, site

before(async () => {
  await writeRecipe()
  execFileSync(next, ['build'], { cwd: here, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }, stdio: 'inherit' })
  metrics = `127.0.0.1:${await freePort()}`
  taskward = await startTaskward({ METRICS_ADDR: metrics })
  const port = await freePort()
  site = `http://127.0.0.1:${port}`
  const env = { PATH: process.env.PATH, PORT: String(port), TASKWARD_URL: taskward.url }
  const script = join(here, 'start')
  app = await startProcess(script, { cwd: here, env, started: () => fetch(site).then(() => true, () => false) })
})

after(async () => {
  await app?.stop()
  await taskward?.stop()
})

/** Writes the file whose code the page has; the first line of the block names it. */
async function writeRecipe() {
  const page = await readFile(join(here, '../../docs/live-and-offline.md'), 'utf8')
  const [, name, code] = /^```ts\n\/\/ (app\/\S+)\n(.*?)^```$/ms.exec(page)
  await mkdir(dirname(join(here, name)), { recursive: true })
  await writeFile(join(here, name), code)
}

/** How many streams Taskward has open. */
async function openStreams() {
  const text = await (await fetch(`http://${metrics}/metrics`)).text()
  return Number(/^taskward_streams_active (\d+)$/m.exec(text)[1])
}

/** Opens the stream through Next.js. `until(pattern)`: all that has come, once the pattern is in it. */
async function open(t, token, { query = '?since=0', headers = {} } = {}) {
  const stop = new AbortController()
  t.after(() => stop.abort())
  const cookie = token === undefined ? {} : { Cookie: `token=${token}` }
  const answer = await fetch(`${site}/api/events${query}`, {
    headers: { ...cookie, ...headers },
    signal: stop.signal,
  })
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const until = async (pattern) => {
    while (!pattern.test(text)) {
      const { value, done } = await reader.read()
      assert.ok(!done, `the stream ended: ${text}`)
      text += value
    }
    return text
  }
  return { answer, until, leave: () => stop.abort() }
}

const create = (token, title) => taskward.call('POST', '/api/v1/tasks', { token, body: { title } })

test('each change comes at once, and nothing on the way holds it back or compresses it', async (t) => {
  const token = await taskward.token('alice')
  const stream = await open(t, token)
  assert.equal(stream.answer.status, 200)
  assert.equal(stream.answer.headers.get('Content-Type'), 'text/event-stream')
  assert.equal(stream.answer.headers.get('Content-Encoding'), null)
  assert.match(stream.answer.headers.get('Cache-Control'), /no-transform/)
  await stream.until(/event: changes/)
  for (const title of ['Milk', 'Bread', 'Salt']) {
    const created = await create(token, title)
    assert.equal(created.status, 201)
    await stream.until(new RegExp(`"title":"${title}"`))
  }
  // What is held back comes with a comment, of which there is one after a second, and one every 15 s.
  const comments = (await stream.until(/Salt/)).match(/^:/gm) ?? []
  assert.ok(comments.length <= 1, comments.length)
  await stream.until(/^:/m)
})

test('a client that leaves ends the stream of Taskward, too', async (t) => {
  const stream = await open(t, await taskward.token('leaving'))
  await stream.until(/event: changes/)
  const before = await openStreams()
  stream.leave()
  while ((await openStreams()) !== before - 1) await sleep(20)
})

test('Last-Event-ID resumes, and counts more than the address', async (t) => {
  const token = await taskward.token('resuming')
  for (const title of ['one', 'two', 'three']) await create(token, title)
  const stream = await open(t, token, { headers: { 'Last-Event-ID': '2' } })
  const text = await stream.until(/^id: 3$/m)
  assert.match(text, /"title":"three"/)
  assert.doesNotMatch(text, /"title":"(one|two)"/)
})

test('a refusal of Taskward comes as it is', async (t) => {
  const refused = await open(t, 'no-token')
  assert.equal(refused.answer.status, 401)
  await refused.until(/"code":"token_malformed"/)
  assert.equal((await open(t, undefined)).answer.status, 401)
  const wrong = await open(t, await taskward.token('alice'), { query: '?since=x' })
  assert.equal(wrong.answer.status, 400)
})

test('the EventSource of a browser follows the changes, through a restart of the server', async (t) => {
  const browser = await launchChromium()
  t.after(() => browser.close())
  const context = await browser.newContext()
  const token = await taskward.token('browser')
  await context.addCookies([{ name: 'token', value: token, url: site }])
  const page = await context.newPage()
  await page.goto(site)
  await page.evaluate(() => {
    window.titles = []
    window.source = new EventSource('/api/events?since=0')
    window.source.addEventListener('changes', ({ data }) => {
      for (const { title } of JSON.parse(data).tasks) window.titles.push(title)
    })
  })
  const shows = (titles) => page.waitForFunction((titles) => window.titles.join() === titles, titles)
  await create(token, 'before')
  await shows('before')
  await taskward.kill()
  await taskward.restart()
  await create(token, 'after')
  await shows('before,after')
})
