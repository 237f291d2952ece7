'use client'

import { useMutation } from '@tanstack/react-query'
import { type Task, type TaskwardClient, TaskwardError, ifMatch } from 'taskward-client'

import { inTurn, mutationKey, useKnow, useRefresh } from './changes'
import { clearDraft, readDraft } from './drafts'
import { type Fields, hasAll, overlaps, patchOf, rebase } from './fields'
import { usePage } from './page-context'

/** An edit of a task that exists. */
interface Change {
  base: Task
  fields: Fields
}

/**
 * Saves the edit of a draft and removes the draft, unless the same members were changed elsewhere since it began
 * (`version_mismatch`).
 */
export function useSaveEdit(draft: string) {
  const { taskward } = usePage()
  const know = useKnow()
  const refresh = useRefresh()
  return useMutation({
    mutationKey,
    mutationFn: (change: Change) => inTurn(change.base.id, () => save(taskward, change)),
    onMutate: () => readDraft(draft),
    onSuccess: (task, _, sent) => {
      clearDraft(draft, sent)
      know(task)
    },
    // The newer version of somebody else, which the lists can show at once.
    onError: (error) => TaskwardError.is(error, 'version_mismatch') && know(error.current),
    onSettled: refresh,
  })
}

/** After this many newer versions from elsewhere, the person decides. */
const saveAttempts = 5

async function save(taskward: TaskwardClient, { base, fields }: Change, attempts = saveAttempts): Promise<Task> {
  try {
    const body = patchOf(base, fields)
    return (await taskward.updateTask({ path: { id: base.id }, body, headers: ifMatch(base) })).data
  } catch (error) {
    if (!TaskwardError.is(error, 'version_mismatch')) throw error
    const { current } = error
    // Somebody made the same changes, or this is the result of an attempt whose answer was lost.
    if (hasAll(base, fields, current)) return current
    if (attempts <= 1 || overlaps(base, fields, current)) throw error
    // Other members were changed, for example by ticking the box in the list: keep both.
    return save(taskward, { base: current, fields: rebase(base, fields, current) }, attempts - 1)
  }
}
