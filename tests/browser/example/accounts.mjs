// Who is who, and that nobody sees what is somebody else's.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

import { password } from './people.mjs'
import { add, escape, quickAdd, row, story, tokenLife, waitForTitles, world } from './world.mjs'

story('a newcomer signs up, signs out and signs in again, and is led to where she wanted to go', async ({ visitor }) => {
  const { page, context, forgive, alive } = await visitor()
  const email = `grace-${Date.now()}@example.test`

  await page.goto('/?status=active')
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await page.getByRole('link', { name: 'Create an account' }).click()
  await page.getByLabel('Name').fill('Grace')
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill('short')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByText('The password is too short: it needs at least 8 characters.').waitFor()
  assert.equal(await page.getByLabel('Password').getAttribute('aria-invalid'), 'true')
  assert.equal(await page.getByLabel('E-mail').inputValue(), email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Your tasks' }).waitFor()
  await alive()
  assert.equal(new URL(page.url()).search, '?status=active')
  await page.getByText('Grace', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await page.goBack()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await alive()

  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill('not this one')
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('There was no answer.').waitFor()
  assert.equal(await page.getByLabel('E-mail').inputValue(), email)
  await context.setOffline(false)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('The e-mail address or the password is wrong.').waitFor()
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Your tasks' }).waitFor()
  await alive()

  // A browser that shows the page as it was left, by "back" after signing out in another tab, asks again first.
  await context.clearCookies()
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  forgive(/status of 40[01]|ERR_INTERNET_DISCONNECTED/)
})

story('what is wrong with an account is told at its field, in plain words', async ({ visitor }) => {
  const { page, forgive } = await visitor()
  await page.goto('/sign-up')
  await page.getByLabel('Name').fill('Grace')
  await page.getByLabel('E-mail').fill('grace@example')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByText('Enter an e-mail address, such as ada@example.com.').waitFor()
  assert.equal(await page.getByLabel('E-mail').getAttribute('aria-invalid'), 'true')
  assert.equal(await page.getByLabel('Password').getAttribute('aria-invalid'), 'false')
  assert.doesNotMatch(await page.locator('main').innerText(), /body\./)
  forgive(/status of 4/)
})

story('at the address with 127.0.0.1 one can sign up too', async ({ visitor }) => {
  const { page, alive } = await visitor({ baseURL: world.example.url.replace('localhost', '127.0.0.1') })
  // Sign-ups are limited by address.
  await page.route('**/api/auth/sign-up/**', (route) => {
    return route.continue({ headers: { ...route.request().headers(), 'x-forwarded-for': '10.1.0.1' } })
  })
  await page.goto('/sign-up')
  await page.getByLabel('Name').fill('Grace')
  await page.getByLabel('E-mail').fill(`grace-${Date.now()}@example.test`)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Your tasks' }).waitFor()
  await alive()
  await add(page, 'Buy milk')
}, ['127.0.0.1'])

story('a link to sign-in that points to another site leads to the tasks', async ({ person }) => {
  const { page } = await person('Ada')
  for (const next of [
    '//evil.example/',
    '/\\evil.example',
    'https://evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/x/..//evil.example',
    '/%2e//evil.example',
  ]) {
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`)
    await page.getByRole('heading', { name: 'Your tasks' }).waitFor()
    assert.equal(new URL(page.url()).origin, world.example.url)
  }
})

story('two people never see each other’s tasks, not even by a copied address', async ({ person }) => {
  const [ada, bob] = [await person('Ada'), await person('Bob')]
  await ada.page.goto('/')
  await add(ada.page, 'Ada’s secret')
  await row(ada.page, 'Ada’s secret').getByRole('button', { name: 'Ada’s secret', exact: true }).click()
  await ada.page.getByRole('dialog').waitFor()
  const address = ada.page.url()
  assert.match(address, /task=1$/)

  await bob.page.goto(address)
  await bob.page.getByText('You have no task 1').waitFor()
  assert.doesNotMatch(await bob.page.content(), /secret/)
  bob.forgive(/status of 404/)
  await escape(bob.page)
  await bob.page.getByText('Nothing to do').waitFor()

  // The number is also Bob's, as soon as he has a first task.
  await add(bob.page, 'Bob’s own')
  await bob.page.goto(address)
  assert.equal(await bob.page.getByLabel('Title').inputValue(), 'Bob’s own')
  await bob.page.getByLabel('Title').fill('Bob’s changed')
  await bob.page.getByRole('button', { name: 'Save' }).click()
  await waitForTitles(bob.page, ['Bob’s changed'])
  await ada.page.reload()
  assert.deepEqual(await ada.titles(), ['Ada’s secret'])
  for (const { page, context } of [ada, bob]) {
    const html = await (await context.request.get('/')).text()
    assert.equal(html.includes('Ada’s'), page === ada.page)
    assert.equal(html.includes('Bob’s'), page === bob.page)
  }
})

story('whoever comes after somebody at the same browser finds nothing of theirs', async ({ person }) => {
  const [ada, bob] = [await person('Ada'), await person('Bob')]
  const { page } = ada
  await page.goto('/')
  await add(page, 'Ada’s secret')
  await quickAdd(page).fill('Ada’s half a thought')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await ada.alive()
  await page.getByLabel('E-mail').fill(bob.email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Nothing to do').waitFor()
  assert.doesNotMatch(await page.content(), /Ada/)
  await ada.alive()
  assert.equal(await quickAdd(page).inputValue(), '')
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(sessionStorage)), /Ada/)
})

story('when somebody else signs in from another tab, the page of the first is not used for them', async ({ person }) => {
  const [ada, bob] = [await person('Ada'), await person('Bob')]
  await bob.create({ title: 'Bob’s own' })
  await ada.page.goto('/')
  await add(ada.page, 'Ada’s first')
  await quickAdd(ada.page).fill('Ada’s second')
  await ada.context.addCookies((await bob.context.storageState()).cookies)
  await sleep(tokenLife * 1000) // her token ends; the next one would be his
  await quickAdd(ada.page).press('Enter')
  await waitForTitles(ada.page, ['Bob’s own'])
  assert.equal(await quickAdd(ada.page).inputValue(), '')
  assert.deepEqual(await bob.titles(), ['Bob’s own'])
})
