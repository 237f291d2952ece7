'use client'

import type { FormEvent } from 'react'
import { type Task, TaskwardError } from 'taskward-client'

import { draftName, useDraft } from '@/lib/drafts'
import { explain, faultsOf } from '@/lib/failures'
import { type Fields, bodyOf, fieldsOf, patchOf, rebase } from '@/lib/fields'
import { usePage } from '@/lib/page-context'
import { type Edit, useCreateTask, useDelete, useSaveEdit } from '@/lib/use-tasks'

import { Conflict } from './conflict'
import { TaskFields } from './task-fields'
import { useToasts } from './toasts'

/** Creates a task, or changes `task`. Closed without "Cancel", it keeps what was typed for the next time. */
export function TaskForm({ task, close }: { task?: Task; close: () => void }) {
  const { person } = usePage()
  const { show } = useToasts()
  const name = draftName(person, `task-${task?.id ?? 'new'}`)
  const [draft, setDraft] = useDraft(name)
  const create = useCreateTask(name)
  const save = useSaveEdit(task?.id)
  const remove = useDelete(task?.id)
  const { isPending, error } = task ? save : create
  const faults = faultsOf(error)
  const failure = error && Object.keys(faults).length === 0 ? explain(error) : undefined

  // A draft goes with the version that it began from, so that it cannot overwrite what came after.
  const { base, fields } = draft
    ? (JSON.parse(draft) as Partial<Edit> & { fields: Fields })
    : { base: task, fields: fieldsOf(task) }
  const isChanged = base ? Object.keys(patchOf(base, fields)).length > 0 : draft !== null
  const theirs = TaskwardError.is(save.error, 'version_mismatch') ? save.error.current : undefined

  const change = (changes: Partial<Fields>) => setDraft(JSON.stringify({ base, fields: { ...fields, ...changes } }))

  function finish(text?: string) {
    setDraft(null)
    close()
    if (text) show({ text })
  }

  function removeTask(task: Task) {
    close()
    // What was typed goes when the task has gone, and not if it stays; that is said by the hook.
    remove.mutateAsync(task).then(() => setDraft(null), () => {})
  }

  function send(edit: Edit) {
    save.mutate(edit, { onSuccess: ({ title }) => finish(`“${title}” saved.`) })
  }

  function add() {
    create.mutate(bodyOf(fields), {
      onSuccess: ({ title, replayed }) => finish(replayed ? `“${title}” was there already.` : `“${title}” added.`),
    })
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (isPending) return
    if (!base) add()
    else if (isChanged) send({ base, fields })
    else finish()
  }

  if (base && theirs) {
    const mine = rebase(base, fields, theirs)
    const keepMine = () => {
      // From here on the draft is one of their version: a failure now, and the next attempt is still right.
      setDraft(JSON.stringify({ base: theirs, fields: mine }))
      send({ base: theirs, fields: mine })
    }
    return (
      <Conflict
        mine={mine}
        theirs={theirs}
        keepMine={keepMine}
        takeTheirs={() => finish('The other version is kept.')}
      />
    )
  }

  return (
    <form onSubmit={submit} noValidate>
      <TaskFields fields={fields} change={change} faults={faults} />
      <div role="alert">
        {failure && <p className="notice failure">Not saved yet. {failure} Nothing you typed is lost.</p>}
      </div>
      <footer>
        {task && (
          <button type="button" className="button danger" onClick={() => removeTask(task)}>
            Delete
          </button>
        )}
        <button type="button" className="button" onClick={() => finish()}>
          {isChanged ? 'Discard' : 'Cancel'}
        </button>
        <button className="button primary" aria-disabled={isPending}>
          {isPending ? 'Saving…' : failure ? 'Try again' : task ? 'Save' : 'Add task'}
        </button>
      </footer>
    </form>
  )
}
