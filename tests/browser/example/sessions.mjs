// Tokens that expire, and sessions that end.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

import { password } from './people.mjs'
import { add, api, row, story, tokenLife } from './world.mjs'

story('an expired token is renewed unseen', async ({ person }) => {
  const { page, titles, token, forgive } = await person('Ada')
  await page.goto('/')
  await add(page, 'With the first token')
  await sleep(tokenLife * 1000)
  await add(page, 'With the second token')

  // And one that expires on its way, or on a device whose clock stands still, is refused and replaced.
  const expired = await token()
  await sleep(tokenLife * 1000 + 500)
  let given = 0
  await page.route('**/api/auth/token', (route) => {
    given += 1
    return given === 1 ? route.fulfill({ json: { token: expired } }) : route.continue()
  })
  const refused = page.waitForResponse((response) => response.status() === 401)
  await add(page, 'With the third token')
  assert.equal((await (await refused).json()).code, 'token_expired')
  // The next one is asked for when the refusal has been read.
  for (let tries = 0; given < 2 && tries < 100; tries += 1) await sleep(100)
  assert.equal(given, 2)
  assert.equal((await titles()).length, 3)
  forgive(/status of 401/)
})

story('when the session is over it leads to sign-in, and back to what was typed', async ({ person }) => {
  const { page, context, create, email, titles, forgive, alive } = await person('Ada')
  await create({ title: 'Buy milk' })
  await page.goto('/?sort=title')
  await row(page, 'Buy milk').getByRole('button', { name: 'Buy milk', exact: true }).click()
  await page.getByLabel('Notes').fill('The one with the blue cap')
  await context.clearCookies()
  // As soon as her token has expired, without her doing anything.
  await page.getByText('Your session has ended.').waitFor()
  await alive()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('dialog').waitFor()
  assert.equal(new URL(page.url()).search, '?sort=title&task=1')
  assert.equal(await page.getByLabel('Notes').inputValue(), 'The one with the blue cap')
  await page.getByRole('button', { name: 'Save' }).click()
  await row(page, 'Buy milk').getByText('The one with the blue cap').waitFor()
  assert.deepEqual(await titles('q=blue'), ['Buy milk'])
  forgive(/status of 401/)
})

story('a server that refuses every token does not send people round in a circle', async ({ person }) => {
  const { page, forgive } = await person('Ada')
  await page.goto('/')
  const headers = { 'access-control-allow-origin': '*' }
  const problem = { type: 'urn:taskward:problem:wrong_audience', title: 'Unauthorized', status: 401, code: 'wrong_audience', detail: 'no', request_id: '1' }
  await page.route(api, (route) => route.fulfill({ status: 401, headers, json: problem }))
  await page.getByText('Your session has ended.').waitFor()
  await sleep(1000)
  assert.match(page.url(), /sign-in\?ended=1/)
  // TanStack DB complains, too, if this came before the first tasks.
  forgive(/status of 401|TanStack DB error 172/)
})
