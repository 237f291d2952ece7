// Every operation of the document is called through the client, and its answer is what the document says.
// Which operation a request was for is told from the wire, not from what the tests say they do.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'

import { type Answer, type Operations, type TaskwardClient, createTaskwardClient } from 'taskward-client'
import * as schemas from 'taskward-client/zod'

import { type Sent, type Server, recordingFetch, startTaskward } from './support.js'

interface Operation {
  operationId: string
  tags: string[]
  parameters?: { name: string; in: string; required?: boolean; schema: { examples?: unknown[] } }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: { $ref?: string; examples?: unknown[] } }> }
}
type Schemas = Record<string, { examples?: unknown[] }>

const document = JSON.parse(await readFile(new URL(import.meta.resolve('taskward-client/openapi.json')), 'utf8'))
const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) => {
  return Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, ...operation }))
})

let server: Server
let alice: TaskwardClient
const { sent, fetch } = recordingFetch()

before(async () => {
  server = await startTaskward()
  alice = createTaskwardClient({ baseUrl: server.url, token: await server.token('alice'), fetch })
})
after(() => server?.stop())

/** Calls by name what the document calls so, and holds the answer against the schema generated for it. */
async function call(operationId: string, options: object = {}): Promise<unknown> {
  const operation = (alice as unknown as Record<string, (options: object) => Promise<Answer<unknown>>>)[operationId]
  assert.ok(operation, `the client has no method ${operationId}: npm run generate`)
  const { data } = await operation(options)
  const name = `z${operationId[0]?.toUpperCase()}${operationId.slice(1)}Response`
  const schema = (schemas as unknown as Record<string, { parse(data: unknown): unknown }>)[name]
  assert.ok(schema, `there is no schema ${name}: npm run generate`)
  // Validation may add nothing and drop nothing: what the server sent is all that the document names.
  assert.deepEqual(schema.parse(data), data, operationId)
  return data
}

const newTask = async () => (await alice.createTask({ body: { title: 'Buy milk' } })).data.id

/** How each operation is called. One that is not here must have the tag of `byExample`. */
const calls: { [Name in keyof Operations]?: () => Promise<unknown> } = {
  listTasks: async () => {
    await newTask()
    return call('listTasks', { query: { completed: false, q: 'MILK', sort: '-priority', limit: 10 } })
  },
  exportTasks: async () => {
    const id = await newTask()
    const { data, response } = await alice.exportTasks()
    assert.equal(response.headers.get('Content-Type'), 'application/x-ndjson')
    const lines = (await data.text()).trimEnd().split('\n')
    const values = lines.map((line) => schemas.zExportTasksResponse.parse(JSON.parse(line)))
    assert.deepEqual(
      values,
      lines.map((line) => JSON.parse(line)),
    )
    assert.ok(values.some((value) => 'id' in value && value.id === id))
  },
  deleteMyData: async () => {
    const token = await server.token('leaving')
    const leaving = createTaskwardClient({ baseUrl: server.url, token, fetch })
    await leaving.createTask({ body: { title: 'Buy milk' } })
    assert.equal((await leaving.deleteMyData()).data, undefined)
    assert.deepEqual((await leaving.listTasks()).data.items, [])
  },
  listChanges: async () => call('listChanges', { query: { since: 0, limit: 10 } }),
  streamEvents: async () => {
    const id = await newTask()
    const open = new AbortController()
    const { stream } = await alice.streamEvents({ query: { since: 0 }, signal: open.signal })
    const { value } = await stream.next()
    assert.deepEqual(schemas.zStreamEventsResponse.parse(value), value)
    assert.ok(value && 'tasks' in value && value.tasks.some((task) => task.id === id))
    open.abort()
    assert.deepEqual(await stream.next(), { done: true, value: undefined })
  },
  batchTasks: async () => {
    const uid = crypto.randomUUID()
    const operations = [
      { op: 'create', task: { title: 'Buy milk', uid } },
      { op: 'update', uid, patch: { completed: true } },
      { op: 'delete', id: 7777 },
    ]
    return call('batchTasks', { body: { operations } })
  },
  createTask: () => {
    const due = { due_date: '2026-02-06T10:00:00+01:00', tags: ['shopping'], description: null }
    return call('createTask', { body: { title: 'Buy milk', priority: 'high', ...due } })
  },
  getTask: async () => call('getTask', { path: { id: await newTask() } }),
  updateTask: async () => call('updateTask', { path: { id: await newTask() }, body: { completed: true } }),
  deleteTask: async () => call('deleteTask', { path: { id: await newTask() } }),
  restoreTask: async () => {
    const path = { id: await newTask() }
    await alice.deleteTask({ path })
    return call('restoreTask', { path })
  },
  getMe: () => call('getMe'),
  getHealth: () => call('getHealth'),
  getPlainHealth: () => call('getPlainHealth'),
  getReadiness: () => call('getReadiness'),
}

/** A call made of the document's examples, of the path's owner and of a task that there is. */
async function byExample({ operationId, parameters = [], requestBody }: Operation): Promise<unknown> {
  const path: Record<string, unknown> = {}
  for (const parameter of parameters.filter((parameter) => parameter.in === 'path')) {
    if (/user/.test(parameter.name)) path[parameter.name] = 'alice'
    else if (/id$/.test(parameter.name)) path[parameter.name] = await newTask()
    else path[parameter.name] = parameter.schema.examples?.[0]
  }
  const schema = Object.values(requestBody?.content ?? {})[0]?.schema
  const named = (document.components.schemas as Schemas)[schema?.$ref?.split('/').at(-1) ?? '']
  const body = schema?.examples?.[0] ?? named?.examples?.[0]
  return call(operationId, { path, ...(body === undefined ? {} : { body }) })
}

for (const operation of operations) {
  test(`${operation.operationId} answers as the document says`, async () => {
    const written = calls[operation.operationId as keyof Operations]
    if (written) return void (await written())
    assert.ok(operation.tags.includes('Owner paths'), `write a call of ${operation.operationId} into this test`)
    await byExample(operation)
  })
}

/** The operation that a request is for: of several paths that fit, the one with the fewest parameters. */
function operationOf({ method, url }: Sent) {
  const parameters = (path: string) => path.split('{').length
  return operations
    .filter((operation) => operation.method === method)
    .filter(({ path }) => new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(url.pathname))
    .sort((one, other) => parameters(one.path) - parameters(other.path))
    .slice(0, 1)
}

test('the client has one method for each operation, and each was answered with success', () => {
  const covered = new Set(sent.filter(({ status }) => status && status < 300).flatMap(operationOf))
  const ids = (list: Operation[]) => list.map(({ operationId }) => operationId).sort()
  assert.ok(operations.length > 0)
  assert.deepEqual(ids([...covered]), ids(operations))
  const methods = Object.keys(alice).filter((name) => !['client', 'paginate', 'updateTaskWith'].includes(name))
  assert.deepEqual(methods.sort(), ids(operations))
})

test('the document in the package is the one that the server serves', async () => {
  const served = await (await globalThis.fetch(`${server.url}/openapi.json`)).json()
  assert.deepEqual(document, served)
})

test('the schemas of requests take what the server takes', async () => {
  for (const due_date of ['2026-02-06', '2026-02-06T10:00:00+01:00', '2026-02-06T09:00:00.5Z', null]) {
    const body = schemas.zNewTask.parse({ title: 'Buy milk', due_date })
    assert.equal((await alice.createTask({ body })).response.status, 201)
  }
  for (const wrong of [{ title: ' ' }, { title: 'x'.repeat(501) }, { title: 'x', due_date: 'tomorrow' }]) {
    assert.equal(schemas.zNewTask.safeParse(wrong).success, false)
    await assert.rejects(alice.createTask({ body: wrong }), { code: 'validation_failed' })
  }
})
