// createTaskwardClient: the generated operations with their own connection, and a few helpers over them.

import { PLACEHOLDER, createTransport, type TransportOptions } from './transport.js'
import { TaskwardError } from './errors.js'
import { createClient, createConfig } from './generated/client/index.js'
import type { Client } from './generated/client/index.js'
import { keyedOperations } from './generated/contract.gen.js'
import * as sdk from './generated/sdk.gen.js'
import type { Task, TaskPatch } from './generated/types.gen.js'

export interface TaskwardClientOptions extends TransportOptions {
  /** Where the server is, without a path of the API: `https://api.example.com`. */
  baseUrl: string
}

/** The answer of an operation. `response` has the status and the headers; its body has been read. */
export interface Answer<Data> {
  data: Data
  response: Response
}

type Sdk = typeof sdk
type Chosen = 'body' | 'headers' | 'path' | 'query' | 'signal' | 'cache' | 'credentials' | 'keepalive'
type Input<Options> = Pick<Options, Extract<keyof Options, Chosen>>
type Data<Result> = Exclude<Result extends { data: unknown } ? Result['data'] : never, undefined>
/** 204 has no data. */
type Held<Result> = [Data<Result>] extends [never] ? void : Data<Result>
type Conditional = { headers: { 'If-None-Match': string } }
type Unconditional = { headers?: { 'If-None-Match'?: never } }

type Call<In, Out> = {} extends In ? (options?: In) => Promise<Out> : (options: In) => Promise<Out>

type Method<Function> = Function extends (options: infer Options) => Promise<infer Result>
  ? [Result] extends [{ stream: unknown }]
    ? Call<Input<Options>, Result>
    : Options extends { headers?: { 'If-None-Match'?: string } }
      ? // With If-None-Match there may be nothing new (304), and then there is no data.
        ((options: Input<Options> & Conditional) => Promise<Answer<Held<Result> | undefined>>) &
          Call<Input<Options> & Unconditional, Answer<Held<Result>>>
      : Call<Input<Options>, Answer<Held<Result>>>
  : never

/** One method for each operation of the document. */
export type Operations = { readonly [Name in Exclude<keyof Sdk, 'exportTasks'>]: Method<Sdk[Name]> } & {
  /**
   * Everything that the user stores, as a file of lines of JSON (NDJSON), for a download or another server. Throws if it
   * was cut.
   */
  readonly exportTasks: (options?: { signal?: AbortSignal }) => Promise<Answer<Blob>>
}

/** Options of a list, for `paginate`. */
export type ListOptions = Input<Parameters<Sdk['listTasks']>[0]> & Unconditional

export interface UpdateOptions {
  /** The task as you have it; without it, it is fetched first. */
  current?: Task
  /** How often to try at most. Default: 5. */
  attempts?: number
  signal?: AbortSignal
}

/** The operations, and helpers that use them. */
export interface TaskwardClient extends Operations {
  /** All tasks of a list, page by page; `limit` is the size of a page (100). */
  paginate(options?: ListOptions): AsyncGenerator<Task, void, undefined>

  /**
   * Changes a task without overwriting what somebody else changes at the same time. `change` gets the current task and
   * returns the patch. If the task has changed before the patch arrives, `change` is called again. If it returns
   * undefined, nothing is changed.
   */
  updateTaskWith(
    id: number,
    change: (current: Task) => TaskPatch | undefined | Promise<TaskPatch | undefined>,
    options?: UpdateOptions,
  ): Promise<Task>

  /** For the generated functions that want a `client`, as those of `taskward-client/react-query`. */
  readonly client: Client
}

/** A client for one user. It shares nothing with other clients, so make one for each user. */
export function createTaskwardClient({ baseUrl, ...options }: TaskwardClientOptions): TaskwardClient {
  const client = createClient(
    createConfig({
      baseUrl,
      auth: () => PLACEHOLDER,
      // The generated client calls it with a Request and nothing else.
      fetch: createTransport(options) as typeof fetch,
      throwOnError: true,
    }),
  )
  client.interceptors.request.use((request, { url }) => {
    if (keyedOperations.includes(`${request.method} ${url}`) && !request.headers.has('Idempotency-Key')) {
      request.headers.set('Idempotency-Key', newKey())
    }
    return request
  })
  client.interceptors.response.use(async (response, _, { parseAs }) => {
    const type = response.headers.get('Content-Type') ?? ''
    if (response.ok && response.status !== 204 && parseAs === 'auto' && !/[/+]json\b/i.test(type)) {
      throw TaskwardError.from(response, await response.text())
    }
    return response
  })
  client.interceptors.error.use((error, response: Response | undefined) => {
    return response ? TaskwardError.from(response, error) : error
  })

  const operations = Object.fromEntries(
    Object.entries(sdk).map(([name, operation]) => [name, bind(operation as UntypedOperation, client)]),
  ) as unknown as Operations
  const readExport = bind(sdk.exportTasks as unknown as UntypedOperation, client)

  return { ...operations, exportTasks, client, paginate, updateTaskWith }

  async function exportTasks(options: { signal?: AbortSignal } = {}): Promise<Answer<Blob>> {
    const answer = (await readExport({ ...options, parseAs: 'blob' })) as Answer<Blob>
    const last = await answer.data.slice(-LAST_LINE).text()
    if (/\{"export":"end",[^{}\n]*\}\n$/.test(last)) return answer
    throw TaskwardError.from(answer.response, 'The export was cut: its last line is missing.')
  }

  async function* paginate(options: ListOptions = {}): AsyncGenerator<Task, void, undefined> {
    let cursor = options.query?.cursor
    do {
      const query = { limit: 100, ...options.query, ...(cursor === undefined ? {} : { cursor }) }
      const { data } = await operations.listTasks({ ...options, query })
      yield* data.items
      cursor = data.next_cursor ?? undefined
    } while (cursor !== undefined)
  }

  async function updateTaskWith(
    id: number,
    change: (current: Task) => TaskPatch | undefined | Promise<TaskPatch | undefined>,
    options: UpdateOptions = {},
  ): Promise<Task> {
    const signal = options.signal ? { signal: options.signal } : {}
    let current = options.current ?? (await operations.getTask({ path: { id }, ...signal })).data
    for (let left = options.attempts ?? 5; ; left -= 1) {
      const body = await change(current)
      if (body === undefined) return current
      try {
        return (await operations.updateTask({ path: { id }, body, headers: ifMatch(current), ...signal })).data
      } catch (error) {
        if (left <= 1 || !TaskwardError.is(error, 'version_mismatch')) throw error
        current = error.current
      }
    }
  }
}

/** No less than the last line of an export has, in bytes. */
const LAST_LINE = 300

type UntypedOperation = (options: object) => Promise<{ data?: unknown; error?: unknown; response?: Response }>

function bind(operation: UntypedOperation, client: Client) {
  return async (options?: object) => {
    const result = await operation({ ...options, client, throwOnError: false })
    if ('stream' in result) return result
    const { data, error, response } = result
    if (response?.ok) return { data: response.status === 204 ? undefined : data, response }
    if (response?.status === 304) return { data: undefined, response }
    throw error
  }
}

/** A new `Idempotency-Key`. (Browsers have randomUUID on secure pages only.) */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The headers by which a change is refused if the task is no longer at this version. */
export function ifMatch(task: number | Pick<Task, 'version'>): { 'If-Match': string } {
  return { 'If-Match': `"${typeof task === 'number' ? task : task.version}"` }
}
