// Errors in words for the person at the screen.

import { type NewTask, TaskwardError } from 'taskward-client'

/** What happened, as one or two sentences. `online`: whether the app can be reached now. */
export function explain(error: unknown, online: boolean): string {
  if (isRefusal(error)) return error.errors.map(sentence).join(' ') || error.detail
  if (!online) return 'You are offline.'
  if (error instanceof TaskwardError) return 'The server has a problem.'
  return 'The server did not answer.'
}

/** Whether the same request may succeed later: no answer, a fault of the server, or too many requests. */
export const isPassing = (error: unknown) => !isRefusal(error) || error.status === 429

/** Whether the server has said that it does not do this: then nothing has been done. */
export function isRefusal(error: unknown): error is TaskwardError {
  return error instanceof TaskwardError && error.status < 500 && error.code !== 'unexpected_answer'
}

/** The parameters of a list in the words of this page. */
const names: Record<string, string> = { q: 'The search text', tag: 'The tag', cursor: 'The position in the list' }

function sentence({ pointer, parameter, detail }: TaskwardError['errors'][number]): string {
  const name = parameter ?? (pointer && memberOf(pointer).join('/'))
  return `${name ? (names[name] ?? name) : 'The request'} ${detail}.`
}

/** The member of the task that a pointer into a batch (`/operations/0/task/tags/1`) names, and its index there. */
const memberOf = (pointer: string) =>
  pointer
    .replace(/^\/operations\/\d+\/(task|patch)/, '')
    .split('/')
    .slice(1)

/**
 * The faults of a body by member, without the member's name, which stands above the field. The server reports all
 * faults at once. A fault of one tag names that tag.
 */
export function faultsOf(error: unknown, sent: Partial<NewTask> = {}): Record<string, string> {
  if (!(error instanceof TaskwardError)) return {}
  const faults: Record<string, string> = {}
  for (const { pointer, detail } of error.errors) {
    const [member, index] = pointer ? memberOf(pointer) : []
    if (!member) continue
    const tag = index && member === 'tags' ? `“${shorten(sent.tags?.[Number(index)] ?? '')}” ` : ''
    const text = tag + detail
    faults[member] = faults[member] ? `${faults[member]}; ${text}` : text
  }
  return faults
}

const shorten = (text: string) => ([...text].length > 24 ? `${[...text].slice(0, 23).join('')}…` : text)

/** Whether the session is over. The client has already tried a new token. */
export const isSignedOut = (error: unknown) => error instanceof TaskwardError && error.status === 401
