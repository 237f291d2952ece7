// What all stories share: the example with its server, and Chromium. With DATABASE_URL, tasks and accounts are in that
// PostgreSQL.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { launchChromium } from '../chromium.mjs'
import { startExample } from './example.mjs'
import { newPerson, newVisitor } from './people.mjs'

/** How long a token of the stories lives, in seconds: so short that each longer story needs several. */
export const tokenLife = 4

export const world = { example: undefined, browser: undefined }

before(async () => {
  world.example = await startExample({
    JWT_LIFETIME: `${tokenLife}s`,
    AUTH_LEEWAY_SECONDS: '0',
    RATE_LIMIT: 'off',
    // Each person of the stories has an address of their own.
    CLIENT_IP_HEADER: 'x-forwarded-for',
  })
  world.browser = await launchChromium()
})

after(async () => {
  await world.browser?.close()
  await world.example?.stop()
})

/**
 * A story with its people. At its end, nobody's page has written an error to the console, broken the policy, or asked
 * another host than the example and Taskward. `otherNames`: of this machine, by which the example may be asked too.
 */
export function story(name, play, otherNames = []) {
  test(name, async () => {
    const people = []
    const enter = async (coming) => {
      const person = await coming
      people.push(person)
      person.page.setDefaultTimeout(20_000)
      return person
    }
    const person = (name, options) => enter(newPerson(world.example, world.browser, name, options))
    const visitor = (options) => enter(newVisitor(world.example, world.browser, options))
    try {
      await play({ person, visitor })
      const names = ['localhost', ...otherNames]
      const urls = [world.example.url, world.example.taskwardUrl]
      const ours = urls.flatMap((url) => names.map((name) => `${name}:${new URL(url).port}`))
      for (const { complaints, hosts } of people) {
        assert.deepEqual(complaints, [])
        assert.deepEqual([...hosts].filter((host) => !ours.includes(host)), [])
      }
    } catch (error) {
      for (const { page } of people) console.error(`${page.url()}\n${await page.locator('body').ariaSnapshot().catch(String)}`)
      throw error
    } finally {
      for (const { context } of people) await context.close()
    }
  })
}

/** Requests of the page to Taskward. */
export const api = '**/api/v1/**'

/** Where the page sends changes. */
export const batch = '**/api/v1/tasks/batch'

/** Answers requests as a server does that refuses them for good. */
export const refuse = (route) =>
  route.fulfill({
    status: 403,
    headers: { 'access-control-allow-origin': '*' },
    json: { type: 'urn:taskward:problem:insufficient_scope', title: 'Forbidden', status: 403, code: 'insufficient_scope', detail: 'This token may not write.', request_id: '1' },
  })

/** Lets requests arrive, and loses their answers. */
export const lose = async (route) => {
  await route.fetch()
  // The page may be gone, or stop losing answers, meanwhile.
  await route.abort('connectionreset').catch(() => {})
}

/** The row of a task. */
export const row = (page, title) => page.getByRole('listitem').filter({ has: page.getByRole('button', { name: title, exact: true }) })

/** The message with a text, and its buttons. */
export const toast = (page, text) => page.locator('.toast').filter({ hasText: text })

/** The titles that the list shows, from top to bottom. */
export const shownTitles = (page) => page.locator('.task .title').allInnerTexts()

/** Waits until the list shows exactly these. */
export async function waitForTitles(page, titles) {
  await page
    .waitForFunction((titles) => JSON.stringify([...document.querySelectorAll('.task .title')].map((it) => it.textContent)) === titles, JSON.stringify(titles))
    .catch(async () => assert.deepEqual(await shownTitles(page), titles))
}

export const quickAdd = (page) => page.getByRole('textbox', { name: 'New task' })

/** Closes the dialog as people do at the keyboard, and waits until it is gone: till then it may take what is typed next. */
export async function escape(page) {
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** The row of a task of which nothing is on its way to the server. */
export const sentRow = (page, title) => row(page, title).and(page.locator(':not([data-unsent])'))

/** Adds a task as people do, and waits until the server has it. */
export async function add(page, title) {
  await quickAdd(page).fill(title)
  await quickAdd(page).press('Enter')
  await sentRow(page, title).waitFor()
}
