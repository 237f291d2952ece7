'use client'

// The tasks, and the changes that can be made to them. Completing and deleting are shown before they have succeeded, and
// taken back if they do not.

import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { type NewTask, type Task, type TaskwardClient, TaskwardError, ifMatch } from 'taskward-client'

import { useToasts } from '@/components/toasts'

import { forgetIdempotencyKey, idempotencyKey } from './drafts'
import { explain } from './failures'
import { type Fields, hasAll, overlaps, patchOf, rebase } from './fields'
import { usePage } from './page-context'
import { changeLists, everyTask, taskList } from './queries'
import { useFilters } from './use-address'

const mutationKey = ['tasks']

/** The changes of one task are sent one after the other, in the order in which they were made. */
const oneByOne = (id?: number) => (id === undefined ? {} : { scope: { id: `task-${id}` } })

/** The list that the address names, as far as it has been fetched. */
export function useTaskList() {
  const { taskward } = usePage()
  const { filters } = useFilters()
  return useInfiniteQuery({ ...taskList(taskward, filters), placeholderData: keepPreviousData })
}

/** Creates the task of a draft. `replayed`: it was there, since an attempt of which nothing was heard. */
export function useCreateTask(draft: string) {
  const { taskward } = usePage()
  const refresh = useRefresh()
  return useMutation({
    mutationKey,
    mutationFn: async (body: NewTask) => {
      const headers = { 'Idempotency-Key': idempotencyKey(draft) }
      const { data, response } = await taskward.createTask({ body, headers })
      return { ...data, replayed: response.headers.get('Idempotency-Replayed') === 'true' }
    },
    onSuccess: refresh,
    onError: (error) => {
      // It was made, and deleted since. Whoever tries again wants a new one.
      if (TaskwardError.is(error, 'idempotency_key_of_deleted_task')) forgetIdempotencyKey(draft)
    },
  })
}

export interface Edit {
  /** The task as it was when the edit began. */
  base: Task
  fields: Fields
}

/** Saves an edit, unless somebody else has changed the same since it began (`version_mismatch`). */
export function useSaveEdit(id?: number) {
  const { taskward } = usePage()
  const know = useKnow()
  const refresh = useRefresh()
  return useMutation({
    mutationKey,
    ...oneByOne(id),
    mutationFn: (edit: Edit) => save(taskward, edit),
    // Either way there is a newer version now, and the lists need not wait for it.
    onSuccess: know,
    onError: (error) => TaskwardError.is(error, 'version_mismatch') && know(error.current),
    onSettled: refresh,
  })
}

/** After this many versions that came from elsewhere meanwhile, it is the person who decides. */
const saveAttempts = 5

async function save(taskward: TaskwardClient, { base, fields }: Edit, attempts = saveAttempts): Promise<Task> {
  try {
    const { data } = await taskward.updateTask({ path: { id: base.id }, body: patchOf(base, fields), headers: ifMatch(base) })
    return data
  } catch (error) {
    if (!TaskwardError.is(error, 'version_mismatch')) throw error
    const { current } = error
    // Whoever was faster wanted the same; perhaps it was oneself, and the answer was lost.
    if (hasAll(base, fields, current)) return current
    if (attempts <= 1 || overlaps(base, fields, current)) throw error
    // Or changed something else, perhaps by ticking the box in the list: both hold.
    return save(taskward, { base: current, fields: rebase(base, fields, current) }, attempts - 1)
  }
}

export function useComplete(id: number) {
  const { taskward } = usePage()
  const { show } = useToasts()
  const queries = useQueryClient()
  const know = useKnow()
  const refresh = useRefresh()
  return useMutation({
    mutationKey,
    ...oneByOne(id),
    mutationFn: async ({ id, completed }: Task) => {
      return (await taskward.updateTask({ path: { id }, body: { completed: !completed } })).data
    },
    onMutate: async ({ id, completed }) => {
      await queries.cancelQueries(everyTask)
      changeLists(queries, (task) => (task.id === id ? { ...task, completed: !completed } : task))
    },
    onSuccess: know,
    onError: (error, { id, title, completed }) => {
      changeLists(queries, (task) => (task.id === id ? { ...task, completed } : task))
      show({ text: `“${title}” was not changed. ${explain(error)}`, failure: true })
    },
    onSettled: refresh,
  })
}

export function useDelete(id?: number) {
  const { taskward } = usePage()
  const { show } = useToasts()
  const queries = useQueryClient()
  const refresh = useRefresh()
  const restore = useRestore()
  return useMutation({
    mutationKey,
    ...oneByOne(id),
    mutationFn: ({ id }: Task) => taskward.deleteTask({ path: { id } }),
    onMutate: async ({ id }) => {
      await queries.cancelQueries(everyTask)
      return changeLists(queries, (task) => (task.id === id ? undefined : task))
    },
    onError: (error, { title }, putBack) => {
      putBack?.()
      show({ text: `“${title}” was not deleted. ${explain(error)}`, failure: true })
    },
    onSuccess: (_, task) => {
      show({ text: `“${task.title}” deleted.`, action: { label: 'Undo', run: () => restore.mutate(task) } })
    },
    onSettled: refresh,
  })
}

function useRestore() {
  const { taskward } = usePage()
  const { show } = useToasts()
  const refresh = useRefresh()
  const restore = useMutation({
    mutationKey,
    mutationFn: ({ id }: Task) => taskward.restoreTask({ path: { id } }),
    onSuccess: (_, { title }) => show({ text: `“${title}” is back.` }),
    onError: (error, task) => {
      const action = { label: 'Try again', run: () => restore.mutate(task) }
      show({ text: `“${task.title}” could not be brought back. ${explain(error)}`, failure: true, action })
    },
    onSettled: refresh,
  })
  return restore
}

/** Puts a task as it is now into the lists: an edit that begins next begins from this version. */
function useKnow() {
  const queries = useQueryClient()
  return (task: Task) => {
    // What other changes on their way have shown already stays on the screen.
    if (queries.isMutating({ mutationKey }) <= 1) changeLists(queries, (other) => (other.id === task.id ? task : other))
  }
}

/** Asks for all tasks that are shown; if other changes are on their way, the last one does. */
function useRefresh() {
  const queries = useQueryClient()
  return () => {
    if (queries.isMutating({ mutationKey }) <= 1) void queries.invalidateQueries(everyTask)
  }
}
