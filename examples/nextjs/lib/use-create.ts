'use client'

import { useMutation } from '@tanstack/react-query'
import { type NewTask, type Task, TaskwardError } from 'taskward-client'

import { useToasts } from '@/components/toasts'

import { mutationKey, useRefresh } from './changes'
import { clearDraft, forgetIdempotencyKey, idempotencyKey, readDraft } from './drafts'
import { isNarrowed, listQuery } from './filters'
import { usePage } from './page-context'
import { useFilters } from './use-address'

/** Creates the task of a draft, removes the draft, and says so. */
export function useCreateTask(draft: string) {
  const { taskward } = usePage()
  const refresh = useRefresh()
  const announce = useAnnounce()
  return useMutation({
    mutationKey,
    mutationFn: async (body: NewTask) => {
      const headers = { 'Idempotency-Key': idempotencyKey(draft) }
      const { data, response } = await taskward.createTask({ body, headers })
      // It was created by an earlier attempt, whose answer was lost.
      return { task: data, replayed: response.headers.get('Idempotency-Replayed') === 'true' }
    },
    onMutate: () => readDraft(draft),
    onSuccess: ({ task, replayed }, _, sent) => {
      clearDraft(draft, sent)
      refresh()
      void announce(task, replayed)
    },
    onError: (error) => {
      // An earlier attempt created it, and it was deleted since. "Try again" then means a new one.
      if (TaskwardError.is(error, 'idempotency_key_of_deleted_task')) forgetIdempotencyKey(draft)
    },
  })
}

/** How long a message waits for the answer to whether the filters hide the task, in milliseconds. */
const patience = 3000

function useAnnounce() {
  const { taskward } = usePage()
  const { filters } = useFilters()
  const { show } = useToasts()

  return async ({ id, title }: Task, replayed: boolean) => {
    if (replayed) return show({ text: `“${title}” was there already.` })
    const text = `“${title}” added.`
    show({ text: (await isHidden(id)) ? `${text} It is hidden by the filters.` : text })
  }

  /** Asks the server, which knows what a search matches. The newest tasks that match include this one, or it is hidden. */
  async function isHidden(id: number): Promise<boolean> {
    if (!isNarrowed(filters)) return false
    const query = { ...listQuery(filters), sort: '-created_at', limit: 10 } as const
    const answer = taskward.listTasks({ query, signal: AbortSignal.timeout(patience) })
    return answer.then(({ data }) => !data.items.some((task) => task.id === id), () => false)
  }
}
