// rememberToken: asked as seldom as possible, never too late, and never giving somebody else's token.

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'

import { readClaims, rememberToken } from 'taskward-client'

/** A JWT in shape; nobody verifies it here. `name` makes it differ, and has letters beyond Latin-1. */
function token(seconds: number | undefined, name = 'Zoë 李', iat = 1_000_000) {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: name, iat, ...(seconds === undefined ? {} : { exp: iat + seconds }) }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}

/** A source of tokens that counts how often it is asked. */
function issuer(seconds?: number) {
  let count = 0
  const get = async () => token(seconds, `token ${(count += 1)}`)
  return { get, count: () => count }
}

test('a token is asked for once, by all who want it, until shortly before it expires', async () => {
  mock.timers.enable({ apis: ['Date'] })
  try {
    const { get, count } = issuer(900)
    const remembered = rememberToken(get)
    const [first, second] = await Promise.all([remembered(), remembered()])
    assert.equal(first, second)
    mock.timers.tick(869_000)
    assert.equal(await remembered(), first)
    mock.timers.tick(2000) // 871 of 900 seconds: within the 30 before its end
    assert.notEqual(await remembered(), first)
    assert.equal(count(), 2)
  } finally {
    mock.timers.reset()
  }
})

test('a token that lives shorter than that is used for half of its life, not renewed at every request', async () => {
  mock.timers.enable({ apis: ['Date'] })
  try {
    const { get, count } = issuer(20)
    const remembered = rememberToken(get)
    await remembered()
    mock.timers.tick(9000)
    await remembered()
    assert.equal(count(), 1)
    mock.timers.tick(2000)
    await remembered()
    assert.equal(count(), 2)
  } finally {
    mock.timers.reset()
  }
})

test('a refused or forgotten token is not given again', async () => {
  const { get, count } = issuer()
  const remembered = rememberToken(get)
  const first = await remembered()
  const second = await remembered({ forceRefresh: true })
  assert.notEqual(first, second)
  assert.equal(await remembered(), second)
  remembered.forget()
  assert.notEqual(await remembered(), second)
  assert.equal(count(), 3)
})

test('no token and a failure are not remembered', async () => {
  const answers = [null, new Error('away'), token(900)]
  const remembered = rememberToken(async () => {
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer
  })
  assert.equal(await remembered(), undefined)
  await assert.rejects(remembered(), /away/)
  assert.equal(await remembered(), token(900))
})

test('a token that arrives after it was forgotten is not remembered', async () => {
  const { get } = issuer()
  let arrive!: () => void
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  let first = true
  const remembered = rememberToken(async () => {
    const value = await get()
    if (first) {
      first = false
      await arrived
    }
    return value
  })
  const late = remembered()
  remembered.forget()
  const current = await remembered()
  arrive()
  assert.notEqual(await late, current)
  assert.equal(await remembered(), current)
})

test('claims are read, and what is no JWT has none', () => {
  assert.deepEqual(readClaims(token(60)), { sub: 'Zoë 李', iat: 1_000_000, exp: 1_000_060 })
  for (const text of ['', 'opaque', 'a.b.c', 'e30', '.bnVsbA.']) assert.equal(readClaims(text), undefined, text)
})
