// People in front of the example: each has a browser context, an account, and the API for what a test must know or prepare.

let count = 0
export const password = 'correct horse battery'

/** Somebody with a browser and no account yet. What their pages complain about is collected. */
export async function newVisitor(example, browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, baseURL: example.url, ...options })
  const page = await context.newPage()
  const complaints = []
  const hosts = new Set()
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol !== 'data:') hosts.add(host)
  })
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`)
    })
  })
  /** Takes the complaints that a failure made on purpose has to cause: the browser writes each failed request. */
  const forgive = (pattern) => {
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !pattern.test(text)))
  }
  /** Waits until the page has come alive: what is pressed before that, on a slow machine, is pressed for nothing. */
  const alive = () =>
    page.waitForFunction(() => Object.keys(document.querySelector('main') ?? {}).some((key) => key.startsWith('__reactFiber')))
  for (const name of options.javaScriptEnabled === false ? [] : ['goto', 'reload']) {
    const open = page[name].bind(page)
    page[name] = async (...args) => {
      const response = await open(...args)
      await alive()
      return response
    }
  }
  return { context, page, complaints, hosts, forgive, alive }
}

/** Somebody who has signed up; their page is not yet open. */
export async function newPerson(example, browser, name, options) {
  const visitor = await newVisitor(example, browser, options)
  count += 1
  const email = `${name.toLowerCase()}-${count}-${Date.now()}@example.test`
  // Better Auth limits requests by address, and counts on as long as they come: each person of the stories has their own.
  const headers = { 'x-forwarded-for': `10.0.${count >> 8}.${count & 255}` }
  await visitor.context.route('**/api/auth/**', (route) =>
    route.continue({ headers: { ...route.request().headers(), ...headers } }),
  )
  const answer = await visitor.context.request.post('/api/auth/sign-up/email', {
    headers: { origin: example.url, ...headers },
    data: { name, email, password },
  })
  if (!answer.ok()) throw new Error(`sign-up: ${answer.status()} ${await answer.text()}`)

  async function token() {
    const answer = await visitor.context.request.get('/api/auth/token', { headers })
    if (!answer.ok()) throw new Error(`token: ${answer.status()} ${await answer.text()}`)
    return (await answer.json()).token
  }
  // It is there when the example has been built.
  const { rememberToken } = await import('../../../examples/nextjs/node_modules/taskward-client/dist/index.js')
  const remembered = rememberToken(token)
  /** Taskward without a browser, as from another device of the same person. */
  async function api(method, path, body) {
    const answer = await fetch(`${example.taskwardUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${await remembered()}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }
  const create = (task) => api('POST', '/tasks', task)
  const titles = async (query = 'limit=100') => (await api('GET', `/tasks?${query}`)).items.map(({ title }) => title)
  return { ...visitor, name, email, token, api, create, titles }
}
