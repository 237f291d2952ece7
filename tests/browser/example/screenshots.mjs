// The README's pictures of the example, made anew: npm run screenshots:example
//
// The clock of the browser and the tasks are always the same, so the pictures only change with the design.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { launchChromium } from '../chromium.mjs'
import { startExample } from './example.mjs'
import { newPerson, newVisitor } from './people.mjs'

const folder = process.env.SCREENSHOTS ?? join(import.meta.dirname, '../../../examples/images')
/** ALL=1 makes those too that the README does not show. */
const all = Boolean(process.env.ALL)
const now = new Date('2026-02-05T09:41:00Z')

const tasks = [
  { title: 'Send the signed lease back to Mrs Okafor', priority: 'high', due_date: '2026-02-03', tags: ['home'], description: 'The scan is on the laptop, in Documents.' },
  { title: 'Prepare questions for the design review', priority: 'high', due_date: '2026-02-05T14:30:00Z', tags: ['work'] },
  { title: 'Buy milk, lentils and a lemon', due_date: '2026-02-05', tags: ['shopping'] },
  { title: 'Call the dentist about Tuesday', due_date: '2026-02-06', tags: ['health'], description: 'Any time before ten is fine.' },
  { title: 'Renew the library books', priority: 'low', due_date: '2026-02-08', tags: [] },
  { title: 'Book trains to Ghent', due_date: '2026-02-10', tags: ['travel', 'spring'], description: 'Two seats, outwards on the 24th; compare with the night train.' },
  { title: 'Repot the fig', priority: 'low', tags: ['home', 'garden'] },
  { title: 'Write to Anouk', tags: [] },
  { title: 'Review the pull request on cursor pagination', priority: 'high', due_date: '2026-02-09', tags: ['work'] },
  { title: 'Order seeds for the balcony', due_date: '2026-03-01', tags: ['garden', 'spring'] },
  { title: 'Take the bicycle to the workshop', tags: ['errands'], completed: true },
  { title: 'Pay the electricity bill', due_date: '2026-02-02', tags: ['home'], completed: true },
]

const shots = [
  { name: 'example-desktop-light', width: 1280, height: 960, path: '/?sort=due_date' },
  { name: 'example-desktop-dark', width: 1280, height: 960, dark: true, path: '/?task=6', wait: 'dialog' },
  { name: 'example-phone-light', width: 390, height: 844, path: '/?sort=due_date' },
  { name: 'example-phone-dark', width: 390, height: 844, dark: true, path: '/' },
  { name: 'more-phone-dialog', width: 390, height: 844, path: '/?task=6', wait: 'dialog', extra: true },
  { name: 'more-desktop-dialog', width: 1280, height: 960, path: '/?sort=due_date&task=6', wait: 'dialog', extra: true },
  { name: 'more-desktop-dark-list', width: 1280, height: 960, dark: true, path: '/', extra: true },
  { name: 'more-empty', width: 390, height: 844, path: '/?q=nothing', extra: true },
  { name: 'more-filters', width: 1280, height: 700, path: '/?q=book&status=active&priority=low', extra: true },
  { name: 'more-sign-in', width: 1280, height: 800, path: '/sign-in?ended=1', anonymous: true, extra: true },
  { name: 'more-sign-up-phone', width: 390, height: 844, dark: true, path: '/sign-up', anonymous: true, extra: true },
  { name: 'more-account', width: 1280, height: 800, path: '/account', extra: true },
  { name: 'more-account-phone', width: 390, height: 844, dark: true, path: '/account', extra: true },
  { name: 'more-account-deleting', width: 1280, height: 800, dark: true, path: '/account', extra: true, act: wrongPassword },
  { name: 'more-account-erasing-phone', width: 390, height: 844, path: '/account', extra: true, act: askToErase },
  { name: 'more-toast', width: 390, height: 844, path: '/', extra: true, act: deleteOne },
  { name: 'more-conflict', width: 1280, height: 800, path: '/?task=4', wait: 'dialog', extra: true, act: race },
  { name: 'more-conflict-phone', width: 390, height: 844, dark: true, path: '/?task=9', wait: 'dialog', extra: true, act: race },
  { name: 'more-fault', width: 390, height: 844, path: '/', extra: true, act: fault },
  { name: 'more-news', width: 1280, height: 800, path: '/', extra: true, act: news },
  { name: 'more-offline', width: 1280, height: 800, path: '/', extra: true, act: offline },
  { name: 'more-offline-phone', width: 390, height: 844, dark: true, path: '/', extra: true, act: offline },
  { name: 'more-deleted', width: 390, height: 844, path: '/?task=5', wait: 'dialog', extra: true, act: deleted },
  { name: 'more-failure', width: 1280, height: 800, dark: true, path: '/', extra: true, act: failure },
]

async function deleteOne(page) {
  await page.getByRole('button', { name: 'Delete: Write to Anouk' }).click()
  await page.getByText('deleted.').waitFor()
}

async function race(page, person, path) {
  const id = path.split('=').at(-1)
  await page.getByLabel('Title').fill('Changed at the desk')
  await page.getByLabel('Tags').fill('health, desk')
  await person.api('PATCH', `/tasks/${id}`, { title: 'Changed on the phone', due_date: '2026-02-07', tags: ['phone'] })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Keep mine').waitFor()
}

async function wrongPassword(page) {
  await page.getByRole('button', { name: 'Delete my account' }).click()
  await page.getByLabel('Your password').fill('not this one')
  await page.getByRole('button', { name: 'Delete account', exact: true }).click()
  await page.getByText('The password is wrong.').waitFor()
}

async function askToErase(page) {
  await page.getByRole('button', { name: 'Delete my tasks' }).click()
  await page.getByRole('dialog').waitFor()
}

async function fault(page) {
  await page.getByRole('textbox', { name: 'New task' }).fill('x'.repeat(501))
  await page.getByRole('button', { name: 'Add' }).click()
  await page.locator('.fault').waitFor()
}

async function news(page, person) {
  await person.create({ title: 'Ask the plumber for an offer' })
  await page.getByText('Added elsewhere').waitFor()
}

async function offline(page) {
  await page.context().setOffline(true)
  await page.getByText('You are offline.').waitFor()
  await page.getByLabel('Done: Repot the fig').click()
  await page.getByRole('textbox', { name: 'New task' }).fill('Buy a torch')
  await page.getByRole('textbox', { name: 'New task' }).press('Enter')
  await page.getByText('“Buy a torch” added.').waitFor()
}

async function deleted(page, person) {
  await person.api('DELETE', '/tasks/5')
  await page.getByText('was deleted elsewhere').waitFor()
}

async function failure(page) {
  await page.route('**/api/v1/**', (route) => route.abort())
  await page.getByRole('searchbox', { name: 'Search' }).fill('torch')
  await page.getByText('could not be loaded').waitFor()
}

const example = await startExample({ RATE_LIMIT: 'off' })
const browser = await launchChromium()
try {
  await mkdir(folder, { recursive: true })
  const ada = await newPerson(example, browser, 'Ada')
  for (const task of tasks) await ada.create(task)
  const { cookies } = await ada.context.storageState()
  for (const { name, width, height, dark, path, wait, anonymous, extra, act } of shots) {
    if (extra && !all) continue
    const visitor = await newVisitor(example, browser, {
      viewport: { width, height },
      deviceScaleFactor: width < 500 ? 2 : 1.5,
      hasTouch: width < 500,
      isMobile: width < 500,
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      timezoneId: 'Europe/London',
      locale: 'en-GB',
    })
    if (!anonymous) await visitor.context.addCookies(cookies)
    await visitor.page.clock.setFixedTime(now)
    // The page of the account has no stream.
    const stream = anonymous || path === '/account' || visitor.page.waitForResponse((response) => response.url().includes('/api/v1/events'))
    await visitor.page.goto(path)
    await stream
    await visitor.page.locator('.task, .empty, .card, .matter').first().waitFor()
    if (wait) await visitor.page.locator(wait).waitFor()
    if (act) await act(visitor.page, ada, path)
    await visitor.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' })
    if (visitor.complaints.length > 0) console.warn(name, visitor.complaints)
    await visitor.context.close()
  }
} finally {
  await browser.close()
  await example.stop()
}
