// A row of the collection: a task, also before the server has answered.

import type { NewTask, Task, TaskPatch } from '../generated/types.gen.js'

/** What `insert` takes: the title at least. A whole task, too, as for the undo of a deletion. */
export type TaskInput = NewTask & Partial<Task>

/** The key of a task, the same before and after the server has answered: `uid`, or `id` if it has none. */
export const taskKey = (task: { id: number; uid: string | null }): string => task.uid ?? String(task.id)

/** What a client can choose of a task, besides `uid`. */
const WRITABLE = ['title', 'description', 'completed', 'priority', 'due_date', 'tags'] as const

/**
 * The part of a change that the server takes. The rest, such as `updated_at`, is for display until the answer comes.
 */
export function toPatch(changes: Partial<Task>): TaskPatch {
  return Object.fromEntries(WRITABLE.filter((name) => name in changes).map((name) => [name, changes[name]]))
}

export const toNewTask = (row: Task): NewTask => ({ ...(toPatch(row) as NewTask), uid: row.uid })

/** Whether two values of a member of a task mean the same. A time is the same in any offset from UTC. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || JSON.stringify(a) === JSON.stringify(b)) return true
  const isTime = (value: unknown) => typeof value === 'string' && value.includes('T')
  return isTime(a) && isTime(b) && Date.parse(String(a)) === Date.parse(String(b))
}

/** A Standard Schema (https://standardschema.dev), written out, so that its package need not be there. */
export interface TaskSchema {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => { value: Task }
    readonly types?: { readonly input: TaskInput; readonly output: Task }
  }
}

/**
 * Completes what is inserted to a row. `id` and `version` are 0 until the server has answered. What the server would
 * refuse is not refused here: it tells all faults, and the row goes out again.
 */
export const taskSchema: TaskSchema = {
  '~standard': {
    version: 1,
    vendor: 'taskward',
    validate: (value) => ({ value: complete(value as TaskInput) }),
  },
}

function complete(task: TaskInput): Task {
  const now = new Date().toISOString()
  const isKnown = (task.id ?? 0) > 0
  const row = {
    description: null,
    completed: false,
    priority: 'medium' as const,
    due_date: null,
    tags: [],
    id: 0,
    user_id: '',
    completed_at: null,
    created_at: now,
    updated_at: now,
    version: 0,
    ...task,
  }
  return { ...row, uid: isKnown ? (task.uid ?? null) : (task.uid?.toLowerCase() ?? newUid()) }
}

/** A random UUID, version 4 (RFC 9562). (Browsers have randomUUID on secure pages only.) */
function newUid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (Number(bytes[6]) & 0x0f) | 0x40
  bytes[8] = (Number(bytes[8]) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
