// Node's counterpart: Fastify with response schemas, pg with prepared statements, and jose, one process per CPU.
import cluster from 'node:cluster'
import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import pg from 'pg'

const { DATABASE_URL, DB_POOL, JWKS_URL, JWT_AUDIENCE, JWT_ISSUER, PORT, WORKERS } = process.env

const columns = 'id, title, description, completed, created_at, updated_at'
const statements = {
  get: `SELECT ${columns} FROM tasks WHERE id = $1 AND user_id = $2`,
  list: `SELECT ${columns} FROM tasks WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2`,
  next: `SELECT ${columns} FROM tasks WHERE user_id = $1 AND (created_at, id) < ($3, $4)
         ORDER BY created_at DESC, id DESC LIMIT $2`,
  create: `INSERT INTO tasks (id, user_id, title, description) VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
  update: `UPDATE tasks SET title = COALESCE($3, title), description = CASE WHEN $4 THEN $5 ELSE description END,
           completed = COALESCE($6, completed), updated_at = now() WHERE id = $1 AND user_id = $2 RETURNING ${columns}`,
  delete: 'DELETE FROM tasks WHERE id = $1 AND user_id = $2',
}

const title = { type: 'string', minLength: 1, maxLength: 200 }
const description = { type: ['string', 'null'], maxLength: 2000 }
const completed = { type: 'boolean' }
const cursor = { type: ['string', 'null'] }
const time = { type: 'string', format: 'date-time' }
const task = {
  type: 'object',
  properties: { id: { type: 'string' }, title, description, completed, created_at: time, updated_at: time },
}
const page = { type: 'object', properties: { items: { type: 'array', items: task }, next_cursor: cursor } }
const create = { type: 'object', required: ['title'], properties: { title, description } }
const update = { type: 'object', properties: { title, description, completed } }
const params = { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } }
const querystring = {
  type: 'object',
  properties: { limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 }, cursor: { type: 'string' } },
}

if (cluster.isPrimary) {
  for (let i = 0; i < Number(WORKERS); i++) cluster.fork()
} else {
  await serve()
}

async function serve() {
  // Connections are shared out among the processes.
  const max = Math.max(1, Math.floor(Number(DB_POOL) / Number(WORKERS)))
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max })
  const query = (name, values) => pool.query({ name, text: statements[name], values })
  const keys = createRemoteJWKSet(new URL(JWKS_URL))
  const checks = { algorithms: ['EdDSA'], issuer: JWT_ISSUER, audience: JWT_AUDIENCE }
  const missing = (reply) => reply.code(404).send({ detail: 'Task not found' })
  const app = Fastify({ logger: false })

  app.decorateRequest('user', '')
  app.addHook('onRequest', async (request, reply) => {
    const header = request.headers.authorization ?? ''
    try {
      request.user = (await jwtVerify(header.replace(/^Bearer /, ''), keys, checks)).payload.sub
    } catch {
      return reply.code(401).send({ detail: 'Invalid token' })
    }
  })

  app.post('/api/v1/tasks', { schema: { body: create, response: { 201: task } } }, async (request, reply) => {
    const { title, description = null } = request.body
    const { rows } = await query('create', [randomUUID(), request.user, title, description])
    return reply.code(201).send(rows[0])
  })

  app.get('/api/v1/tasks', { schema: { querystring, response: { 200: page } } }, async (request) => {
    const { limit, cursor } = request.query
    // One row more than is shown tells whether there is a next page.
    const { rows } = cursor
      ? await query('next', [request.user, limit + 1, ...readCursor(cursor)])
      : await query('list', [request.user, limit + 1])
    const items = rows.slice(0, limit)
    return { items, next_cursor: rows.length > limit ? cursorOf(items[limit - 1]) : null }
  })

  app.get('/api/v1/tasks/:id', { schema: { params, response: { 200: task } } }, async (request, reply) => {
    const { rows } = await query('get', [request.params.id, request.user])
    return rows[0] ?? missing(reply)
  })

  const patch = { schema: { params, body: update, response: { 200: task } } }
  app.patch('/api/v1/tasks/:id', patch, async (request, reply) => {
    const { title = null, description = null, completed = null } = request.body
    const set = 'description' in request.body
    const { rows } = await query('update', [request.params.id, request.user, title, set, description, completed])
    return rows[0] ?? missing(reply)
  })

  app.delete('/api/v1/tasks/:id', { schema: { params } }, async (request, reply) => {
    const { rowCount } = await query('delete', [request.params.id, request.user])
    return rowCount ? reply.code(204).send() : missing(reply)
  })

  await app.listen({ host: '127.0.0.1', port: Number(PORT), backlog: 4096 })
}

function cursorOf(task) {
  return Buffer.from(`${task.created_at.toISOString()}|${task.id}`).toString('base64url')
}

function readCursor(cursor) {
  return Buffer.from(cursor, 'base64url').toString().split('|')
}
