// The errors of a call: the server refused it, or did not answer.

import type { Fault, KnownCode, Problem, Task } from './generated/types.gen.js'

/** A code of the document, one of this package, or one of a newer server. */
export type ProblemCode = KnownCode | ClientCode | (string & {})

/** Codes that this package gives to answers that are not problems of Taskward. */
export type ClientCode = 'not_modified' | 'unexpected_answer'

/** The members that a problem with a certain code always has. */
type Carried<Code extends string> = {
  code: Code
} & (Code extends 'version_mismatch' | 'uid_taken' ? { current: Task } : unknown)

/**
 * The server refused the request: its problem (RFC 9457) as an error. `code` tells the kind; `detail` is for people.
 *
 * It has all members of a `Problem`, so the error types of the generated functions are right.
 */
export class TaskwardError extends Error implements Problem {
  override readonly name: string = 'TaskwardError'
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  /** All faults of the input; empty if the problem is another one. `detail` has the first in full. */
  readonly errors: Fault[]
  /** With `version_mismatch` and `uid_taken`: the task as it is now. */
  declare readonly current?: Task
  /** Names the request in the server's log. */
  readonly requestId: string
  /** After how many seconds to retry, if the server said so. */
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter?: number) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`)
    this.type = problem.type
    this.title = problem.title
    this.status = problem.status
    this.detail = problem.detail
    this.code = problem.code
    this.errors = problem.errors ?? []
    if (problem.current) this.current = problem.current
    this.requestId = problem.request_id
    this.retryAfter = retryAfter
  }

  /** `requestId` by its name in the document. */
  get request_id(): string {
    return this.requestId
  }

  /** Whether `error` is a TaskwardError with one of `codes` (with any, if none is given). */
  static is<Code extends KnownCode | ClientCode>(
    error: unknown,
    ...codes: Code[]
  ): error is TaskwardError & Carried<Code> {
    return error instanceof TaskwardError && (codes.length === 0 || (codes as string[]).includes(error.code))
  }

  /** The error for an answer, whether or not it is a problem: a proxy in between has errors of its own. */
  static from(response: Response, body: unknown): TaskwardError {
    const retryAfter = parseRetryAfter(response.headers.get('Retry-After'))
    return new TaskwardError(isProblem(body) ? body : foreign(response, body), retryAfter)
  }
}

/** There was no answer: the server is down, the connection broke, or a timeout passed. `cause` has the reason. */
export class TaskwardNetworkError extends Error {
  override readonly name: string = 'TaskwardNetworkError'
  /** How many attempts were made. */
  readonly attempts: number

  constructor(request: { method: string; url: string }, attempts: number, cause: unknown) {
    // Without the query: a search text does not belong in a log.
    const url = request.url.replace(/[?#].*/s, '')
    const times = attempts === 1 ? '' : ` (${attempts} attempts)`
    super(`${request.method} ${url} got no answer${times}: ${reason(cause)}`, { cause })
    this.attempts = attempts
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  // Node's error only says "fetch failed"; the reason is the cause of its cause.
  return cause.cause instanceof Error && cause.cause.message ? cause.cause.message : cause.message
}

function isProblem(body: unknown): body is Problem {
  const problem = body as Partial<Problem> | null
  return (
    typeof problem === 'object' &&
    typeof problem?.status === 'number' &&
    typeof problem.code === 'string' &&
    typeof problem.detail === 'string'
  )
}

function foreign(response: Response, body: unknown): Problem {
  const unchanged = response.status === 304
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const start = text && text !== '{}' ? `: ${text.slice(0, 200)}` : ''
  return {
    type: 'about:blank',
    title: response.statusText,
    status: response.status,
    code: (unchanged ? 'not_modified' : 'unexpected_answer') satisfies ClientCode,
    detail: unchanged
      ? 'What you have is still current.'
      : `The answer is not one of Taskward (is the base URL right?)${start}`,
    request_id: response.headers.get('X-Request-Id') ?? '',
  }
}

/** The seconds of a `Retry-After` (RFC 9110): a number of them, or an HTTP date. */
export function parseRetryAfter(value: string | null, now: number = Date.now()): number | undefined {
  if (value === null) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000)
}
