// npm-audit.mjs against a registry that knows two packages with advisories: node --test .ci

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'

const script = join(import.meta.dirname, 'npm-audit.mjs')
const ID = 'GHSA-aaaa-bbbb-cccc'
let folder, registry, advisories

before(async () => {
  registry = http.createServer((request, response) => {
    if (request.method === 'POST') {
      request.resume()
      response.statusCode = advisories ? 200 : 405
      response.end(JSON.stringify(advisories ?? ''))
    } else {
      const name = request.url.slice(1)
      response.end(JSON.stringify({ name, versions: { '1.0.0': { name, version: '1.0.0' } } }))
    }
  })
  registry.listen(0, '127.0.0.1')
  await once(registry, 'listening')
})
after(() => {
  registry.closeAllConnections()
  registry.close()
})

// A new folder for each test, since it is also the home where npm has its cache.
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskward-npm-audit-'))
  const project = { name: 'p', version: '1.0.0', dependencies: { used: '1.0.0' }, devDependencies: { tool: '1.0.0' } }
  const packages = { '': project, 'node_modules/used': { version: '1.0.0' }, 'node_modules/tool': { version: '1.0.0', dev: true } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(project))
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ name: 'p', version: '1.0.0', lockfileVersion: 3, packages }))
  await writeFile(join(folder, 'accepted.txt'), '# none\n')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const advisory = (severity) => ({ id: 1, url: `https://github.com/advisories/${ID}`, title: 'Runs away', severity, vulnerable_versions: '<2' })

/** Runs the script on the project; `code` is its exit code. */
async function run({ url = `http://127.0.0.1:${registry.address().port}` } = {}) {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    ACCEPTED: join(folder, 'accepted.txt'),
    npm_config_registry: url,
    npm_config_fetch_retries: '0',
    npm_config_update_notifier: 'false',
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [script, folder], { env }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }))
  })
}

test('nothing known is a success', async () => {
  advisories = {}
  const { code, stdout } = await run()
  assert.match(stdout, /^1 of 1 projects were audited\.\n$/)
  assert.equal(code, 0)
})

for (const severity of ['high', 'critical']) {
  test(`${severity} in production fails, and is named`, async () => {
    advisories = { used: [advisory(severity)] }
    const { code, stdout } = await run()
    assert.match(stdout, new RegExp(`${severity}, production: used <2: Runs away \\(${ID}\\)`))
    assert.match(stdout, /High or critical in production/)
    assert.equal(code, 1)
  })
}

test('with a reason it is accepted', async () => {
  advisories = { used: [advisory('high')] }
  await writeFile(join(folder, 'accepted.txt'), `# known\n${ID} Nothing calls it.\n`)
  const { code, stdout } = await run()
  assert.match(stdout, /accepted: Nothing calls it\./)
  assert.equal(code, 0)
})

test('a list without a reason is refused', async () => {
  advisories = {}
  await writeFile(join(folder, 'accepted.txt'), `${ID}\n`)
  const { code, stderr } = await run()
  assert.match(stderr, new RegExp(`not an id of an advisory and a reason: ${ID}`))
  assert.equal(code, 1)
})

test('moderate in production, and anything in development, is only printed', async () => {
  advisories = { used: [advisory('moderate')] }
  let result = await run()
  assert.match(result.stdout, /moderate, production: used/)
  assert.equal(result.code, 0)
  advisories = { tool: [advisory('critical')] }
  result = await run()
  assert.match(result.stdout, /critical, development only: tool/)
  assert.equal(result.code, 0)
})

test('a registry without an audit endpoint, or out of reach, is reported and is not a failure', async () => {
  advisories = undefined
  let result = await run()
  assert.match(result.stdout, /0 of 1 projects were audited\.\nThe registry does not answer npm audit.*\n.*: status 405/)
  assert.equal(result.code, 0)
  result = await run({ url: 'http://127.0.0.1:9' })
  assert.match(result.stdout, /does not answer npm audit.*\n.*ECONNREFUSED/)
  assert.equal(result.code, 0)
})

test('a project without a lock file is a failure', async () => {
  advisories = {}
  await rm(join(folder, 'package-lock.json'))
  const { code, stderr } = await run()
  assert.match(stderr, /ENOLOCK/)
  assert.equal(code, 1)
})
